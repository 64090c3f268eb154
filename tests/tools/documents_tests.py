"""The tools for the guide, the reference and the README, each run on a planted fault and without one.

    documents_tests.py
"""

import pathlib
import re
import sys
import tempfile
import unittest

import guide
import guide_facts
import headers
import public_functions
import readme
import reference
import surface

ROOT = pathlib.Path(__file__).resolve().parents[2]

CHAPTER = """# A chapter

Words, and `code`.

```cpp
#include <algorithm>
int a = 1;
std::cout << a << '\\n';
```

```text
1
```

```sh
not run
```

| NumPy | Kiln |
|---|---|
| `x + 1` | `x + 1` |
| `x \\| x` | `x \\| x` |
| none | words |

## Second

```cpp error
throw_it();
```
"""


class Chapters(unittest.TestCase):
    def items(self):
        return [item for _, item in guide.compiled(guide.parse(CHAPTER))]

    def test_parts(self):
        block, row, bar, error = self.items()
        self.assertEqual((block.line, block.output.text, block.section), (6, "1\n", 0))
        self.assertEqual((row.kiln, row.line), ("x + 1", 21))
        self.assertEqual(bar.cells["NumPy"], "x | x")
        self.assertEqual((error.kind, error.section), ("error", 1))

    def test_extracted_code_names_the_lines_of_the_chapter(self):
        code = guide.extract(CHAPTER, "a.md", "a")
        self.assertTrue(code.startswith("#include <algorithm>\n"))
        self.assertIn('#line 6 "a.md"\n\nint a = 1;', code)
        self.assertIn('#line 21 "a.md"\n    show, x + 1;', code)
        self.assertIn("nothing_thrown();", code)
        self.assertEqual(code.count("static void section_"), 2)

    def test_what_differs_is_found(self):
        block = self.items()[0]
        self.assertEqual(guide.block_faults(block, "1\n", "a.md"), [])
        self.assertIn("a.md:12", guide.block_faults(block, "2\n", "a.md")[0])
        block.output = None
        self.assertEqual(len(guide.block_faults(block, "1\n", "a.md")), 1)

    def test_refused_blocks_stay_out_of_the_program(self):
        code = guide.extract(CHAPTER.replace("cpp error", "cpp refused"), "a.md", "a")
        self.assertNotIn("throw_it", code)

    def test_dots_stand_for_any_text(self):
        self.assertTrue(guide.agrees("a ... c\n...\n", "a b c\nd\ne\n"))
        self.assertFalse(guide.agrees("a ... c\n", "a b d\n"))
        self.assertFalse(guide.agrees("a.c\n", "abc\n"))
        self.assertFalse(guide.agrees("at a.md:3\n", "at a.md:5\n"))
        self.assertTrue(guide.agrees("at a.md:3\n", "at a.md:5\n", lines=False))
        self.assertFalse(guide.agrees("at a.md:3\n", "at b.md:3\n", lines=False))

    def test_update(self):
        unchanged = {0: "1\n", 3: ""}
        self.assertEqual(guide.updated(CHAPTER, unchanged), CHAPTER)
        new = guide.updated(CHAPTER, {0: "2\n", 3: "an error\n"})
        self.assertIn("```text\n2\n```\n\n```sh", new)
        self.assertIn("throw_it();\n```\n\n```text\nan error\n```\n", new)
        self.assertEqual(guide.updated(new, {0: "2\n", 3: "an error\n"}), new)

    def test_phrases(self):
        try:
            import numpy as np
        except ImportError:
            self.skipTest("no NumPy")
        names = {"np": np, "x": np.array([1, 2], np.float32)}
        row = guide.Row({"NumPy, CuPy": "x + 1", "Kiln": "x + 1"}, 3, 0)
        self.assertEqual(guide.row_faults(np, row, "float32; 2; 2 3\n", names, "a.md"), [])
        for wrong in ["float32; 2; 2 4\n", "float32; 1 2; 2 3\n", "int64; 2; 2 3\n"]:
            self.assertEqual(len(guide.row_faults(np, row, wrong, names, "a.md")), 1)
        row.cells["NumPy, CuPy"] = "x[0] = 5"
        self.assertEqual(guide.row_faults(np, row, "float32; 2; 5 2\n", names, "a.md"), [])
        self.assertEqual(names["x"][0], 1)


HEADER = """// What this is.
//
//   example();
#pragma once
#include <vector>

namespace kiln::inline v0::frontend {
struct Node;
}
namespace kiln {
inline namespace v0 {

// About all that follows.

// Adds.
Array add(Operand left, Operand right);
[[nodiscard]] Array twice(const Array& x,
                          double factor = {2});  // by two
template <class T>
  requires(std::same_as<T, Array> || Element<T>)
Array gone(const Array&, const T&) = delete;
enum class Mode : int {
  lazy,  // later
  eager
};
// A thing.
class Thing {
 public:
  explicit Thing(int n) : n_(n) {}
  int size() const { return n_ == '}' ? 1 : n_; }

 private:
  // secret
  int n_;
};
template <Element T>
Array from(const T* data, const Layout& layout = {}) {
  return frontend::copy(data, layout);
}
namespace frontend {
Array hidden(int);
}  // namespace frontend
template <>
struct std::formatter<Thing> {
  bool hide(char c) const { return c != '}'; }
};
template <Element E>
E Thing::item(int n) const {
  return n;
}

}  // namespace v0
}  // namespace kiln
"""


# What a reader of headers must not take for a function, or pass over.
NAMES = """// int comment(int);
#pragma once
#define MACRO(x) int macro(x)
namespace kiln {
inline namespace v0 {

namespace frontend {
int own(int);
}
struct Later;
enum class Kind : unsigned char { one, two };
template <class T>
concept Wanted = (sizeof(T) > 1);
inline constexpr int value = f(3);
Array plain(const Array& x, Shape shape = {}, const char* s = "a(b);");
template <class T>
  requires(Wanted<T> && (sizeof(T) < 9))
[[nodiscard]] constexpr std::vector<T> made(T x) {
  if (x) {
    return {x};
  }
  return {};
}
template <class T>
Array dropped(const T&) = delete;
class Thing final : public Base {
  int hidden();

 public:
  Thing() = default;
  template <class T>
  explicit Thing(T x) : list_{x}, n_(1) {}
  ~Thing();
  operator bool() const;
  int operator()(int i) const { return i; }
  Thing& operator+=(int) &;
  [[nodiscard]] friend bool operator==(Thing, Thing);
  friend class Other;
  int field_(int) const noexcept;
  int data_ = g(), more_{1};
  struct Part {
    int size() const;
  };

 private:
  int secret() const;
  std::vector<int> list_;
};
template <class T>
Thing::Thing(T) {}

}  // namespace v0
}  // namespace kiln
"""


class Headers(unittest.TestCase):
    def test_names(self):
        self.assertEqual(public_functions.names_of(headers.parse(NAMES)[1]),
                         {"plain", "made", "Thing::Thing", "Thing::operator bool", "Thing::operator()",
                          "Thing::operator+=", "operator==", "Thing::field_", "Thing::Part::size"})

    def test_declarations(self):
        head, parts = headers.parse(HEADER)
        self.assertEqual(head, "What this is.\n\n  example();")
        self.assertEqual([p.name for p in headers.functions(parts)], ["add", "twice", "from"])
        self.assertEqual([p.name for p in parts if p.kind == "class"], ["Thing"])
        thing = next(p for p in parts if p.kind == "class")
        self.assertEqual([p.text for p in thing.parts if p.kind == "code"],
                         ["explicit Thing(int n);", "int size() const;"])

    def test_the_page_has_what_a_user_needs_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "kiln").mkdir()
            (pathlib.Path(folder) / "kiln" / "a.h").write_text(HEADER)
            pages = reference.pages(pathlib.Path(folder), "1.2.3")
        page, index = pages["kiln-a.html"], pages["index.html"]
        for text in ["Array twice(const Array&amp; x,\n            double factor = {2});", "What this is.", "example();", "About all that follows.", "<p>Adds.</p>", "// by two",
                     "lazy,  // later", "A thing.", "explicit Thing(int n);"]:
            self.assertIn(text, page)
        for text in ["secret", "n_", "hidden", "copy", "item"]:
            self.assertNotIn(text, page)
        self.assertIn('<a href="kiln-a.html#twice">twice</a>', index)

    def test_every_public_comment_and_function_is_in_the_reference(self):
        """Of the tree's headers: found by the simplest of means, then looked for in the pages."""
        folder = ROOT / "frontend" / "include"
        pages = reference.pages(folder, "0")
        for path in sorted((folder / "kiln").glob("*.h")):
            words = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", pages[f"kiln-{path.stem}.html"]))
            words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
            words = words.replace("&#x27;", "'").replace("&amp;", "&")
            text = re.sub(r"^namespace [^\n]*frontend \{\n(?:struct \w+;\n\}|.*?^\}  // namespace frontend)", "",
                          path.read_text(), flags=re.S | re.M)
            for comment in re.findall(r"^// (.*)$", text, re.M):
                if "disable_sized_range" not in comment:
                    self.assertIn(re.sub(r"\s+", " ", comment), words, path)
            for name in re.findall(r"^(?:\[\[nodiscard\]\] )?(?:Array|void|Stats|Device|Explanation) (\w+)\(", text, re.M):
                self.assertIn(f" {name}(", words, path)


class Surface(unittest.TestCase):
    TABLE = ("# words\nsection\tfunction\tclass\tArrayFire\tMLX\tCuPy\tnumpy\tinstead\tnote\n"
             "Sums\tsum\tR\tY\tY\tY\t\t\t\n"
             "Sums\ttrace\tR\t–\tP\tY\tnp.trace(x)\tkn::sum(x | 1)\tslow\n"
             "Sums\tsort\tK\tY\tY\tY\t\t\t\n")

    def functions(self):
        return surface.join(surface.read_table(self.TABLE), {"sum": "reductions.h", "relu": "rows.h", "eval": "evaluate.h"})

    def test_what_stands(self):
        page = surface.surface_page(self.functions())
        self.assertIn("**1 of the 3 functions**", page)
        self.assertIn("| sum | R | Y | Y | Y | `kiln/reductions.h` |  |", page)
        self.assertIn("| trace | R | – | P | Y | – | `kn::sum(x \\| 1)`; slow |", page)
        self.assertIn("`kiln/rows.h`", page)
        self.assertNotIn("eval", page)

    def test_what_does_not(self):
        table = surface.missing_table(self.functions())
        self.assertIn("| trace | `np.trace(x)` | `kn::sum(x \\| 1)` | slow |", table)
        self.assertNotIn("| sum |", table)

    def test_faults_of_the_table(self):
        found = surface.table_faults(self.functions())
        self.assertIn("surface.tsv: sort is not in the headers, and nothing says what to do instead", found)
        self.assertTrue(any("3 functions of the standard" in fault for fault in found))


class Readme(unittest.TestCase):
    ENGLISH = "# Kiln\n\nWords.\n\n## Use\n\n```sh\n## run\n```\n\n## Speed\n\n<!-- bench: begin -->\n1\n<!-- bench: end -->\n"

    def translation(self):
        text = "# Kiln\n<!-- of: -->\n## U\n<!-- of: -->\n```sh\n## run\n```\n## S\n<!-- of: -->\n"
        return readme.marked(self.ENGLISH, text)

    def test_current(self):
        self.assertEqual(readme.faults(self.ENGLISH, self.translation()), [])
        faster = self.ENGLISH.replace("\n1\n", "\n2\n")  # ./dev bench --write
        self.assertEqual(readme.faults(faster, self.translation()), [])

    def test_faults(self):
        changed = readme.faults(self.ENGLISH.replace("Words.", "Others."), self.translation())
        self.assertEqual(changed, ["README.zh-CN.md: Kiln: stale, Kiln has changed since"])
        code = readme.faults(self.ENGLISH, self.translation().replace("## run", "## walk"))
        self.assertEqual(len(code), 1)
        self.assertEqual(len(readme.faults(self.ENGLISH, self.translation() + "## More\n")), 1)


class GuideFacts(unittest.TestCase):
    def test_each_difference(self):
        read = 'text("KILN_A"); text("CUDA_HOME");'
        devices = "\n| variable | meaning |\n|---|---|\n| `KILN_A`, `CUDA_HOME` | x |\n"
        build = 'option(KILN_LLVM "x" ON)'
        deployment = "\n| option | default | |\n|---|---|---|\n| `KILN_LLVM` | ON | |\n\nwords\n"
        self.assertEqual(guide_facts.faults(read, devices, build, deployment), [])
        self.assertEqual(guide_facts.faults(read + '"HOME"', devices, build, deployment),
                         ["variable HOME: the guide does not list it"])
        self.assertEqual(guide_facts.faults(read, devices, "", deployment),
                         ["option KILN_LLVM: the guide lists it, and there is none"])

    def test_links(self):
        with tempfile.TemporaryDirectory() as name:
            page, other = pathlib.Path(name) / "a.md", pathlib.Path(name) / "b.md"
            other.write_text("# A `b`, and c\n```sh\n# no heading\n```\n")
            page.write_text("[x](b.md#a-b-and-c) [y](b.md) [z](https://nowhere/) `[q](r)`\n")
            self.assertEqual(guide_facts.dead_links([page, other]), [])
            page.write_text("[x](c.md) [y](b.md#no-heading) [z](#here)\n")
            self.assertEqual(len(guide_facts.dead_links([page, other])), 3)

    def test_names(self):
        with tempfile.TemporaryDirectory() as name:
            page = pathlib.Path(name) / "a.md"
            page.write_text("`kn::sum(x)` kiln::kiln kn::gone")
            self.assertEqual(guide_facts.unknown_names([page], "Array sum(const Array& x);"),
                             ["a.md: gone is in no public header"])


if __name__ == "__main__":
    sys.exit(unittest.main())
