// The kernel cache on disk: a folder of small files that any number of processes share.
//
// An entry's file name is a hash of its key; the file holds header, key and value, and a reader
// takes it only if magic, version, sizes and checksum fit and the key is equal byte for byte.
// Anything else (truncated, corrupt, of another program or version) is a miss. Files are written
// aside and renamed into place, so a reader sees a whole entry or none. A folder that cannot be
// made or written, or that others may write, switches the cache off and says so once on stderr.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::runtime {

class DiskCache {
 public:
  // An empty folder: no cache. The folder (mode 0700) is made when first needed. Above `capacity`
  // bytes in total, the entries least recently used are deleted until 3/4 of it are left; a store
  // in 64 looks, and each that follows a sixteenth of the capacity written by this process.
  DiskCache(std::string folder, std::int64_t capacity);

  std::optional<std::vector<std::byte>> find(std::string_view key);
  void store(std::string_view key, std::span<const std::byte> value);

  // Whether a store can be expected to last; makes the folder, and says why not, as a store does.
  bool writable();

  const std::string& folder() const { return folder_; }
  std::string path(std::string_view key) const;  // where the entry of a key lies
  void sweep();

 private:
  enum class State { unknown, usable, unusable };
  bool usable(bool create);
  bool write(const std::string& target, std::span<const std::byte> entry);
  void give_up(const std::string& why);

  std::string folder_;
  std::int64_t capacity_;
  std::atomic<State> state_{State::unknown};
  std::atomic<std::int64_t> unswept_{0};  // bytes written since the last sweep
  std::atomic<bool> said_{false};
};

}  // namespace kiln::runtime
