#include "sim/floating_point.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sim/fiber.h"

namespace jacquard::sim {
namespace {

// ---- instructions

// Of the two: a memory operand, and opcode extension 2 (load) or 3 (store).
bool AccessesMxcsr(uint8_t mod_rm) {
  const int extension = mod_rm >> 3 & 7;
  return mod_rm >> 6 != 3 && (extension == 2 || extension == 3);
}

// Whether [v]ldmxcsr or [v]stmxcsr stands in these bytes of code, or something that looks like it;
// what the runtime has marked as its own does not count (Intel's manual, volume 2, appendix A).
bool HasMxcsrInstruction(const uint8_t* begin, const uint8_t* end) {
  constexpr uint8_t kOpcode = 0xAE;
  const auto is_own = [begin](const uint8_t* instruction) {
    return instruction - begin >= 4 &&
           std::memcmp(instruction - 4, kOwnMxcsrMarkerBytes, sizeof(kOwnMxcsrMarkerBytes)) == 0;
  };
  for (const uint8_t* at = begin + 3; at + 1 < end; ++at) {
    at = static_cast<const uint8_t*>(std::memchr(at, kOpcode, static_cast<size_t>(end - at - 1)));
    if (at == nullptr) return false;
    if (!AccessesMxcsr(at[1])) continue;
    if (at[-1] == 0x0F && !is_own(at - 1)) return true;
    if (at[-1] == 0xF8 && at[-2] == 0xC5) return true;  // VEX in two bytes
    if (at[-1] == 0x78 && at[-3] == 0xC4) return true;  // in three
  }
  return false;
}

// ---- calls

bool IsOfCfenv(std::string_view name) {
  constexpr std::string_view kFunctions[] = {
      "feclearexcept",   "fedisableexcept",  "feenableexcept",  "fegetenv",     "fegetexcept",
      "fegetexceptflag", "fegetmode",        "fegetround",      "feholdexcept", "feraiseexcept",
      "fesetenv",        "fesetexcept",      "fesetexceptflag", "fesetmode",    "fesetround",
      "fetestexcept",    "fetestexceptflag", "feupdateenv"};
  return std::ranges::find(kFunctions, name) != std::end(kFunctions);
}

// Whether some relocation of the module names such a function.
bool CallsCfenv(const ElfW(Dyn) * dynamic) {
  const char* names = nullptr;
  const ElfW(Sym)* symbols = nullptr;
  struct Table {
    const ElfW(Rela) * begin = nullptr;
    size_t size = 0;
  } tables[2];
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const auto address = dynamic->d_un.d_ptr;
    switch (dynamic->d_tag) {
      case DT_STRTAB:
        names = reinterpret_cast<const char*>(address);
        break;
      case DT_SYMTAB:
        symbols = reinterpret_cast<const ElfW(Sym)*>(address);
        break;
      case DT_RELA:
        tables[0].begin = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_RELASZ:
        tables[0].size = dynamic->d_un.d_val;
        break;
      case DT_JMPREL:
        tables[1].begin = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_PLTRELSZ:
        tables[1].size = dynamic->d_un.d_val;
        break;
      default:
        break;
    }
  }
  if (names == nullptr || symbols == nullptr) return false;
  for (const Table& table : tables) {
    if (table.begin == nullptr) continue;
    for (size_t i = 0; i < table.size / sizeof(ElfW(Rela)); ++i) {
      const ElfW(Sym)& symbol = symbols[ELF64_R_SYM(table.begin[i].r_info)];
      if (symbol.st_name != 0 && IsOfCfenv(names + symbol.st_name)) return true;
    }
  }
  return false;
}

// ---- modules

bool IsOfTheSystem(std::string_view path) {
  constexpr std::string_view kLibraries[] = {"libc.so.6", "libm.so.6", "libgcc_s.so.1",
                                             "libstdc++.so.6", "ld-linux-x86-64.so.2"};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::find(kLibraries, name) != std::end(kLibraries) ||
         name.starts_with("linux-vdso");
}

int LookAt(dl_phdr_info* info, size_t /*size*/, void* /*data*/) {
  if (IsOfTheSystem(info->dlpi_name)) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const auto* const begin = reinterpret_cast<const uint8_t*>(info->dlpi_addr + header.p_vaddr);
    const bool is_code =
        header.p_type == PT_LOAD && (header.p_flags & (PF_X | PF_R)) == (PF_X | PF_R);
    if (is_code && HasMxcsrInstruction(begin, begin + header.p_filesz)) return 1;
    if (header.p_type == PT_DYNAMIC && CallsCfenv(reinterpret_cast<const ElfW(Dyn)*>(begin)))
      return 1;
  }
  return 0;
}

}  // namespace

bool UsesFloatingPointEnvironment() { return dl_iterate_phdr(LookAt, nullptr) != 0; }

}  // namespace jacquard::sim
