#include "runtime/disk_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "ir/bytes.h"
#include "ir/mutant.h"

namespace kiln::runtime {

namespace {

constexpr char kMagic[8] = {'K', 'I', 'L', 'N', 'C', 'A', 'C', 'H'};
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kSuffix = ".kernel";
constexpr std::string_view kTemporary = ".writing-";
constexpr std::time_t kStaleSeconds = 3600;
constexpr std::uint64_t kLookRarely = 64;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t header_bytes;
  std::uint64_t key_bytes;
  std::uint64_t value_bytes;
  std::uint64_t checksum;  // of what follows the header
};
static_assert(sizeof(Header) == 40);

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  bool read(void* to, std::size_t bytes) const {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::read(descriptor_, at, bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      bytes -= static_cast<std::size_t>(got);
    }
    return true;
  }
  bool write(const void* from, std::size_t bytes) const {
    const auto* at = static_cast<const char*>(from);
    while (bytes > 0) {
      const ssize_t put = ::write(descriptor_, at, bytes);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      at += put;
      bytes -= static_cast<std::size_t>(put);
    }
    return true;
  }

 private:
  int descriptor_;
};

struct Found {
  std::string path;
  std::int64_t bytes;
  timespec used;
};

bool earlier(const Found& a, const Found& b) {
  return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
}

// The entries of the folder; deletes what crashed writers left behind.
std::vector<Found> entries(const std::string& folder) {
  std::vector<Found> found;
  DIR* const dir = opendir(folder.c_str());
  if (!dir) return found;
  const std::time_t now = std::time(nullptr);
  while (const dirent* item = readdir(dir)) {
    const std::string_view name = item->d_name;
    const std::string path = folder + "/" + std::string(name);
    struct stat info{};
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (name.starts_with(kTemporary)) {
      if (now - info.st_mtime > kStaleSeconds) ::unlink(path.c_str());
    } else if (name.ends_with(kSuffix)) {
      found.push_back({path, static_cast<std::int64_t>(info.st_size), info.st_mtim});
    }
  }
  closedir(dir);
  return found;
}

}  // namespace

DiskCache::DiskCache(std::string folder, std::int64_t capacity)
    : folder_(std::move(folder)), capacity_(capacity) {
  if (folder_.empty()) state_ = State::unusable;
}

std::string DiskCache::path(std::string_view key) const {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return fmt::format("{}/{:016x}{:016x}{}", folder_, hash.high64, hash.low64, kSuffix);
}

void DiskCache::give_up(const std::string& why) {
  state_ = State::unusable;
  if (said_.exchange(true)) return;
  std::fputs(fmt::format("kiln: kernels are not kept on disk: {}\n", why).c_str(), stderr);
}

bool DiskCache::usable(bool create) {
  const State state = state_;
  if (state != State::unknown) return state == State::usable;
  struct stat info{};
  if (lstat(folder_.c_str(), &info) != 0) {
    if (!create) return false;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(folder_).parent_path(), error);
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
      give_up(fmt::format("cannot make {}: {}", folder_, std::strerror(errno)));
      return false;
    }
    if (lstat(folder_.c_str(), &info) != 0) info = {};
  }
  if (!S_ISDIR(info.st_mode)) {
    give_up(folder_ + " is not a folder");
  } else if (info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    give_up(folder_ + " may be written by other users");
  } else {
    state_ = State::usable;
  }
  return state_ == State::usable;
}

std::optional<std::vector<std::byte>> DiskCache::find(std::string_view key) {
  if (!usable(false)) return std::nullopt;
  const File file(::open(path(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return std::nullopt;
  struct stat info{};
  Header header;
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
      !file.read(&header, sizeof header) || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 ||
      header.version != kVersion || header.header_bytes != sizeof header ||
      header.key_bytes != key.size()) {
    return std::nullopt;
  }
  // Sizes are checked against the file's before anything is allocated by them.
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < sizeof header + key.size() ||
      header.value_bytes != size - sizeof header - key.size()) {
    return std::nullopt;
  }
  std::vector<std::byte> body(size - sizeof header);
  if (!file.read(body.data(), body.size()) ||
      (XXH3_64bits(body.data(), body.size()) != header.checksum &&
       !mutant(ir::Mutant::disk_checksum)) ||
      (std::memcmp(body.data(), key.data(), key.size()) != 0 && !mutant(ir::Mutant::disk_key))) {
    return std::nullopt;
  }
  ::futimens(file.get(), nullptr);  // marks it used; on failure it only ages
  body.erase(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(key.size()));
  return body;
}

void DiskCache::store(std::string_view key, std::span<const std::byte> value) {
  if (!usable(true)) return;
  std::vector<std::byte> entry(sizeof(Header) + key.size() + value.size());
  std::byte* const body = entry.data() + sizeof(Header);
  std::memcpy(body, key.data(), key.size());
  ir::copy_bytes(body + key.size(), value.data(), static_cast<std::int64_t>(value.size()));
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.header_bytes = sizeof header;
  header.key_bytes = key.size();
  header.value_bytes = value.size();
  header.checksum = XXH3_64bits(body, key.size() + value.size());
  std::memcpy(entry.data(), &header, sizeof header);
  if (!write(path(key), entry)) return;
  const auto bytes = static_cast<std::int64_t>(entry.size());
  // Short-lived processes write little each, so one of their stores in kLookRarely looks as well.
  const bool chosen = (header.checksum ^ static_cast<std::uint64_t>(getpid())) % kLookRarely == 0;
  if ((unswept_ += bytes) > capacity_ / 16 || chosen) sweep();
}

bool DiskCache::writable() {
  if (!usable(true)) return false;
  if (::access(folder_.c_str(), W_OK | X_OK) == 0) return true;
  give_up(fmt::format("cannot write in {}: {}", folder_, std::strerror(errno)));
  return false;
}

bool DiskCache::write(const std::string& target, std::span<const std::byte> entry) {
  std::string temporary = fmt::format("{}/{}XXXXXX", folder_, kTemporary);
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file) {
    give_up(fmt::format("cannot write in {}: {}", folder_, std::strerror(errno)));
    return false;
  }
  if (!file.write(entry.data(), entry.size()) || ::rename(temporary.c_str(), target.c_str()) != 0) {
    give_up(fmt::format("cannot write {}: {}", target, std::strerror(errno)));
    ::unlink(temporary.c_str());
    return false;
  }
  return true;
}

void DiskCache::sweep() {
  unswept_ = 0;
  std::vector<Found> found = entries(folder_);
  std::int64_t total = 0;
  for (const Found& entry : found) total += entry.bytes;
  if (total <= capacity_) return;
  std::sort(found.begin(), found.end(), earlier);
  for (const Found& entry : found) {
    if (total <= capacity_ / 4 * 3) break;
    ::unlink(entry.path.c_str());  // another process may have been faster
    total -= entry.bytes;
  }
}

}  // namespace kiln::runtime
