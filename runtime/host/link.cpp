#include "runtime/host/link.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/error.h"

namespace kiln::runtime {

void UnmapPages::operator()(std::byte* pages) const { munmap(pages, size); }

namespace {

constexpr std::string_view kEntry = "kiln_kernel";
constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;  // of an object; offsets fit 32 bits
constexpr std::uint64_t kStubBytes = 16;

[[noreturn]] void fail(const std::string& what) { ir::internal_error("link: the object " + what); }

void require(bool ok, const char* otherwise) {
  if (!ok) fail(otherwise);
}

// What code generation may call: LLVM expands large copies and fills to these.
const void* external(std::string_view name) {
  if (name == "memcpy") return reinterpret_cast<const void*>(&std::memcpy);
  if (name == "memmove") return reinterpret_cast<const void*>(&std::memmove);
  if (name == "memset") return reinterpret_cast<const void*>(&std::memset);
  return nullptr;
}

// The file, every access checked.
class File {
 public:
  explicit File(std::span<const std::byte> bytes) : bytes_(bytes) {
    const auto header = at<Elf64_Ehdr>(0);
    require(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
                header.e_type == ET_REL && header.e_shentsize == sizeof(Elf64_Shdr),
            "is not a relocatable ELF file");
#if defined(__x86_64__)
    require(header.e_machine == EM_X86_64, "is for another processor");
#elif defined(__aarch64__)
    require(header.e_machine == EM_AARCH64, "is for another processor");
#else
    fail("is for a processor without linker");
#endif
    for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
      sections_.push_back(at<Elf64_Shdr>(offset(header.e_shoff, i, sizeof(Elf64_Shdr))));
    }
  }

  template <class T>
  T at(std::uint64_t where) const {
    T value;
    std::memcpy(&value, range(where, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> range(std::uint64_t where, std::uint64_t size) const {
    require(where <= bytes_.size() && size <= bytes_.size() - where, "is cut short");
    return bytes_.subspan(where, size);
  }
  const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  const Elf64_Shdr& section(std::uint64_t i) const {
    require(i < sections_.size(), "names a section that it lacks");
    return sections_[i];
  }
  // Entry i of a table section.
  template <class T>
  T entry(const Elf64_Shdr& table, std::uint64_t i) const {
    require(table.sh_entsize == sizeof(T) && i < table.sh_size / sizeof(T), "has a bad table");
    return at<T>(offset(table.sh_offset, i, sizeof(T)));
  }
  std::string_view text(const Elf64_Shdr& strings, std::uint64_t from) const {
    const std::span<const std::byte> all = range(strings.sh_offset, strings.sh_size);
    require(from < all.size(), "has a bad name");
    const auto* first = reinterpret_cast<const char*>(all.data()) + from;
    return {first, strnlen(first, all.size() - from)};
  }

 private:
  std::uint64_t offset(std::uint64_t base, std::uint64_t i, std::uint64_t size) const {
    require(base <= bytes_.size(), "is cut short");
    return base + i * size;
  }
  std::span<const std::byte> bytes_;
  std::vector<Elf64_Shdr> sections_;
};

class Linker {
 public:
  explicit Linker(std::span<const std::byte> object) : file_(object) {}

  LinkedObject run() {
    lay_out();
    find_symbols();
    map();
    for (const Elf64_Shdr& section : file_.sections()) {
      if (section.sh_type == SHT_RELA) relocate(section);
    }
    return finish();
  }

 private:
  static bool executable(const Elf64_Shdr& s) { return (s.sh_flags & SHF_EXECINSTR) != 0; }
  static bool loaded(const Elf64_Shdr& s) { return (s.sh_flags & SHF_ALLOC) != 0 && s.sh_size > 0; }

  // Code first, then stubs, then constants from a page of their own on.
  void lay_out() {
    places_.assign(file_.sections().size(), std::nullopt);
    place_sections(true);
    size_ = round_up(size_, kStubBytes);
    stubs_ = size_;
    size_ += kStubBytes * kMostStubs;
    size_ = round_up(size_, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
    code_size_ = size_;
    place_sections(false);
    size_ = round_up(size_, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  }

  void place_sections(bool code) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Elf64_Shdr& s = file_.section(i);
      if (!loaded(s) || executable(s) != code) continue;
      require(s.sh_type == SHT_PROGBITS && (s.sh_flags & SHF_WRITE) == 0,
              "has a section that is neither code nor constants");
      file_.range(s.sh_offset, s.sh_size);
      const std::uint64_t align = std::max<std::uint64_t>(s.sh_addralign, 1);
      require(std::has_single_bit(align) && align <= 4096, "has a bad alignment");
      size_ = round_up(size_, align);
      places_[i] = size_;
      size_ += s.sh_size;
      require(size_ < kLargest, "is too large");
    }
  }

  static std::uint64_t round_up(std::uint64_t n, std::uint64_t to) {
    return (n + to - 1) / to * to;
  }

  void find_symbols() {
    for (const Elf64_Shdr& s : file_.sections()) {
      if (s.sh_type != SHT_SYMTAB) continue;
      require(symbols_ == nullptr, "has two symbol tables");
      symbols_ = &s;
      strings_ = &file_.section(s.sh_link);
    }
    require(symbols_ != nullptr, "has no symbols");
  }

  void map() {
    void* mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) ir::internal_error("link: no memory for code");
    memory_ = LinkedObject::Memory(static_cast<std::byte*>(mapped), UnmapPages{size_});
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (!places_[i]) continue;
      const Elf64_Shdr& s = file_.section(i);
      const auto bytes = file_.range(s.sh_offset, s.sh_size);
      std::memcpy(memory_.get() + *places_[i], bytes.data(), bytes.size());
    }
  }

  std::uint64_t address(std::uint64_t place) const {
    return reinterpret_cast<std::uint64_t>(memory_.get()) + place;
  }

  std::uint64_t symbol_address(const Elf64_Sym& symbol) {
    if (symbol.st_shndx == SHN_UNDEF) return address(stub(file_.text(*strings_, symbol.st_name)));
    require(symbol.st_shndx < places_.size() && places_[symbol.st_shndx],
            "refers to a section that is not loaded");
    const Elf64_Shdr& section = file_.section(symbol.st_shndx);
    require(symbol.st_value <= section.sh_size, "has a symbol outside its section");
    return address(*places_[symbol.st_shndx] + symbol.st_value);
  }

  // A jump to an external function, within reach of the code.
  std::uint64_t stub(std::string_view name) {
    const void* target = external(name);
    if (target == nullptr) fail("refers to " + std::string(name));
    const auto known = std::find(targets_.begin(), targets_.end(), target);
    const auto index = static_cast<std::uint64_t>(known - targets_.begin());
    const std::uint64_t place = stubs_ + kStubBytes * index;
    if (known == targets_.end()) {
      targets_.push_back(target);
      std::byte* to = memory_.get() + place;
#if defined(__aarch64__)
      const std::uint32_t code[2] = {0x58000050, 0xd61f0200};  // ldr x16, .+8; br x16
      std::memcpy(to, code, sizeof code);
#else
      const unsigned char code[8] = {0xff, 0x25, 2, 0, 0, 0, 0x90, 0x90};  // jmp [rip + 2]
      std::memcpy(to, code, sizeof code);
#endif
      std::memcpy(to + 8, &target, sizeof target);
    }
    return place;
  }

  void relocate(const Elf64_Shdr& table) {
    const std::uint64_t target = table.sh_info;
    require(target < places_.size(), "relocates a section that it lacks");
    if (!places_[target]) return;
    const Elf64_Shdr& section = file_.section(target);
    for (std::uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Rela); ++i) {
      const auto entry = file_.entry<Elf64_Rela>(table, i);
      const std::uint64_t width = relocation_bytes(ELF64_R_TYPE(entry.r_info));
      require(entry.r_offset <= section.sh_size && width <= section.sh_size - entry.r_offset,
              "has a relocation outside its section");
      const auto symbol = file_.entry<Elf64_Sym>(*symbols_, ELF64_R_SYM(entry.r_info));
      const std::uint64_t place = *places_[target] + entry.r_offset;
      patch(ELF64_R_TYPE(entry.r_info), memory_.get() + place, address(place),
            symbol_address(symbol) + static_cast<std::uint64_t>(entry.r_addend));
    }
  }

#if defined(__aarch64__)
  static std::uint64_t relocation_bytes(std::uint64_t) { return 4; }

  static void patch(std::uint64_t type, std::byte* at, std::uint64_t place, std::uint64_t value) {
    std::uint32_t code;
    std::memcpy(&code, at, sizeof code);
    const auto low = [&](int scale) {
      require(value % (std::uint64_t{1} << scale) == 0, "has a misaligned constant");
      code = (code & ~(0xfffu << 10)) | static_cast<std::uint32_t>((value & 0xfff) >> scale) << 10;
    };
    switch (type) {
      case R_AARCH64_CALL26:
      case R_AARCH64_JUMP26:
        code =
            (code & ~0x3ffffffu) | (static_cast<std::uint32_t>((value - place) >> 2) & 0x3ffffff);
        break;
      case R_AARCH64_ADR_PREL_PG_HI21: {
        const auto pages = static_cast<std::uint32_t>((value >> 12) - (place >> 12));
        code = (code & 0x9f00001f) | (pages & 3) << 29 | ((pages >> 2) & 0x7ffff) << 5;
        break;
      }
      case R_AARCH64_ADD_ABS_LO12_NC:
      case R_AARCH64_LDST8_ABS_LO12_NC:
        low(0);
        break;
      case R_AARCH64_LDST16_ABS_LO12_NC:
        low(1);
        break;
      case R_AARCH64_LDST32_ABS_LO12_NC:
        low(2);
        break;
      case R_AARCH64_LDST64_ABS_LO12_NC:
        low(3);
        break;
      case R_AARCH64_LDST128_ABS_LO12_NC:
        low(4);
        break;
      default:
        fail("has a relocation of type " + std::to_string(type));
    }
    std::memcpy(at, &code, sizeof code);
  }
#else
  static std::uint64_t relocation_bytes(std::uint64_t type) { return type == R_X86_64_64 ? 8 : 4; }

  static void patch(std::uint64_t type, std::byte* at, std::uint64_t place, std::uint64_t value) {
    switch (type) {
      case R_X86_64_64:
        std::memcpy(at, &value, 8);
        break;
      case R_X86_64_PC32:
      case R_X86_64_PLT32: {
        const auto distance = static_cast<std::int64_t>(value - place);
        const auto narrow = static_cast<std::int32_t>(distance);
        require(narrow == distance, "has a symbol out of reach");
        std::memcpy(at, &narrow, 4);
        break;
      }
      default:
        fail("has a relocation of type " + std::to_string(type));
    }
  }
#endif

  LinkedObject finish() {
    LinkedObject::Entry entry = nullptr;
    for (std::uint64_t i = 0; i < symbols_->sh_size / sizeof(Elf64_Sym) && entry == nullptr; ++i) {
      const auto symbol = file_.entry<Elf64_Sym>(*symbols_, i);
      if (symbol.st_name == 0 || file_.text(*strings_, symbol.st_name) != kEntry) continue;
      require(symbol.st_shndx < places_.size() && executable(file_.section(symbol.st_shndx)),
              "has an entry that is not code");
      require(symbol.st_value < file_.section(symbol.st_shndx).sh_size,
              "has an entry outside its code");
      entry = reinterpret_cast<LinkedObject::Entry>(symbol_address(symbol));
    }
    if (entry == nullptr) fail("defines no function " + std::string(kEntry));
    std::byte* code = memory_.get();
    const bool ok =
        mprotect(code, code_size_, PROT_READ | PROT_EXEC) == 0 &&
        (size_ == code_size_ || mprotect(code + code_size_, size_ - code_size_, PROT_READ) == 0);
    if (!ok) ir::internal_error("link: code cannot be made executable");
    __builtin___clear_cache(reinterpret_cast<char*>(code),
                            reinterpret_cast<char*>(code + code_size_));
    return {std::move(memory_), entry};
  }

  static constexpr std::uint64_t kMostStubs = 3;  // the length of the list of externals

  File file_;
  std::vector<std::optional<std::uint64_t>> places_;  // of loaded sections, in memory_
  std::uint64_t size_ = 0, code_size_ = 0, stubs_ = 0;
  const Elf64_Shdr* symbols_ = nullptr;
  const Elf64_Shdr* strings_ = nullptr;
  std::vector<const void*> targets_;  // of the stubs made
  LinkedObject::Memory memory_;
};

}  // namespace

LinkedObject link(std::span<const std::byte> object) { return Linker(object).run(); }

}  // namespace kiln::runtime
