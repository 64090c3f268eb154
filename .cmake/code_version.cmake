# cmake -DROOT=<sources> -DOUT=<file> -P code_version.cmake: writes code_version() of
# frontend/code_version.h, a hash of all that generated code is made by.

file(GLOB_RECURSE sources RELATIVE "${ROOT}"
  "${ROOT}/ir/*.h" "${ROOT}/ir/*.cpp" "${ROOT}/ir/*.def"
  "${ROOT}/codegen/*.h" "${ROOT}/codegen/*.cpp" "${ROOT}/codegen/*.def")
list(SORT sources)
set(all "")
foreach(source IN LISTS sources)
  file(SHA256 "${ROOT}/${source}" hash)
  string(APPEND all "${source} ${hash}\n")
endforeach()
string(SHA256 version "${all}")
string(SUBSTRING "${version}" 0 16 version)
file(WRITE "${OUT}" "#include \"frontend/code_version.h\"

namespace kiln::inline v0::frontend {
std::string_view code_version() { return \"${version}\"; }
}  // namespace kiln::inline v0::frontend
")
