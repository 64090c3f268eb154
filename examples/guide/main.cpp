// Runs one chapter of the guide: kiln_guide <chapter>. tests/tools/guide.py compares what it
// prints.
#include "guide/guide.h"

int main(int count, char** words) {
  for (const guide::Chapter& chapter : guide::chapters()) {
    if (count != 2 || chapter.name != words[1]) continue;
    chapter.run();
    return 0;
  }
  std::cerr << "kiln_guide <chapter>, one of:";
  for (const guide::Chapter& chapter : guide::chapters()) std::cerr << ' ' << chapter.name;
  std::cerr << '\n';
  return 2;
}
