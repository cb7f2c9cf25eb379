#include "sim/floating_point.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sim/caller.h"
#include "sim/dynamic_section.h"
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

// The same, but for the runtime's code, which is known, and so much that somewhere bytes look like
// that by chance.
bool HasMxcsrInstructionOfProgram(const uint8_t* begin, const uint8_t* end) {
  const auto* const text_begin = reinterpret_cast<const uint8_t*>(&jacquard_text_begin);
  const auto* const text_end = reinterpret_cast<const uint8_t*>(&jacquard_text_end);
  if (text_begin < begin || text_end > end) return HasMxcsrInstruction(begin, end);
  return HasMxcsrInstruction(begin, text_begin) || HasMxcsrInstruction(text_end, end);
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
bool CallsCfenv(const dl_phdr_info& module) {
  return DynamicSection(module).AnyRelocation(
      [](const ElfW(Rela)& /*relocation*/, const ElfW(Sym)& /*symbol*/, std::string_view name) {
        return IsOfCfenv(name);
      });
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
    if (is_code && HasMxcsrInstructionOfProgram(begin, begin + header.p_filesz)) return 1;
  }
  return CallsCfenv(*info) ? 1 : 0;
}

}  // namespace

bool UsesFloatingPointEnvironment() { return dl_iterate_phdr(LookAt, nullptr) != 0; }

}  // namespace jacquard::sim
