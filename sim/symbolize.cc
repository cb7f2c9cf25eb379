// Symbolize with elfutils' libdwfl (which code is where in this process) and libdw (DWARF).
//
// Clang writes no .debug_aranges, so libdwfl cannot say which compilation unit an address belongs
// to: an index of address ranges is built per module, and per unit when one of its addresses is
// asked for.
#include "sim/symbolize.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "sim/guarded_stack.h"
#include "sim/own_descriptors.h"

// Set by the linker.
extern "C" const char __executable_start[];  // NOLINT(bugprone-reserved-identifier)
extern "C" const char end[];

namespace jacquard {
namespace {

uintptr_t Address(const char* place) { return reinterpret_cast<uintptr_t>(place); }

// Address ranges with something at each; they may overlap, the innermost (latest start) counts.
class RangeIndex {
 public:
  void Add(Dwarf_Die die) {
    Dwarf_Addr base = 0, begin = 0, end = 0;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
      if (begin < end) ranges_.push_back({begin, end, die});
    }
  }
  void Sort() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
  }
  const Dwarf_Die* Find(Dwarf_Addr address) const {
    auto after = std::upper_bound(
        ranges_.begin(), ranges_.end(), address,
        [](Dwarf_Addr wanted, const Range& range) { return wanted < range.begin; });
    while (after != ranges_.begin()) {
      --after;
      if (address < after->end) return &after->die;
      // Ranges of discarded sections all start near 0 and may be long; real ones hardly overlap.
      if (address - after->begin > kLongest) break;
    }
    return nullptr;
  }

 private:
  static constexpr Dwarf_Addr kLongest = Dwarf_Addr{1} << 26;
  struct Range {
    Dwarf_Addr begin, end;
    Dwarf_Die die;
  };
  std::vector<Range> ranges_;
};

// All functions of a unit, also those inside namespaces and classes (with full debug information).
void AddFunctions(Dwarf_Die parent, RangeIndex& index) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_subprogram:
        index.Add(child);
        AddFunctions(child, index);  // local classes
        break;
      case DW_TAG_namespace:
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type:
      case DW_TAG_lexical_block:
        AddFunctions(child, index);
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

// Appends the functions inlined at `address` inside `parent`, outermost first.
void AppendInlined(Dwarf_Die parent, Dwarf_Addr address, std::vector<Dwarf_Die>& chain) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) continue;
    if (dwarf_haspc(&child, address) != 1) continue;
    if (tag == DW_TAG_inlined_subroutine) chain.push_back(child);
    AppendInlined(child, address, chain);
    return;
  } while (dwarf_siblingof(&child, &child) == 0);
}

std::string Demangled(const char* name) {
  // A name in C that reads like a mangled type: `f` would be "float".
  if (!std::string_view(name).starts_with("_Z")) return ShortFunctionName(name);
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return ShortFunctionName(text ? text.get() : NamesOfMangled(name));
}

// The name in the debug information: the mangled one, which names class and namespace, if there is
// one (line tables have it with -fdebug-info-for-profiling), otherwise the bare one.
std::string FunctionName(Dwarf_Die die) {
  for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    Dwarf_Attribute value;
    if (dwarf_attr_integrate(&die, attribute, &value) == nullptr) continue;
    if (const char* name = dwarf_formstring(&value)) return Demangled(name);
  }
  Dwarf_Attribute value;
  if (dwarf_attr_integrate(&die, DW_AT_name, &value) == nullptr) return {};
  const char* name = dwarf_formstring(&value);
  return name == nullptr ? std::string() : ShortFunctionName(name);
}

Dwarf_Word NumberOf(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute value;
  Dwarf_Word number = 0;
  if (dwarf_attr(&die, attribute, &value) == nullptr || dwarf_formudata(&value, &number) != 0)
    return 0;
  return number;
}

// Without "." and "..", as far as the text tells. (std::filesystem would allocate the result in the
// C++ library, and so with the program's operator new, if it has one: new_and_delete.cc.)
std::string WithoutDetours(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    const bool at_top = parts.empty() || parts.back() == "..";
    if (part == ".." && !at_top) {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  return fmt::format("{}{}", absolute ? "/" : "", fmt::join(parts, "/"));
}

// As it was given to the compiler: relative to where that ran, without detours.
std::string AsCompiled(const char* file, Dwarf_Die unit) {
  if (file == nullptr) return {};
  std::string path = WithoutDetours(file);
  Dwarf_Attribute value;
  if (dwarf_attr(&unit, DW_AT_comp_dir, &value) == nullptr) return path;
  const char* directory = dwarf_formstring(&value);
  if (directory == nullptr) return path;
  std::string prefix = WithoutDetours(directory);
  if (!prefix.ends_with('/')) prefix += '/';
  if (path.starts_with(prefix)) path.erase(0, prefix.size());
  // Bazel's generated sources: without the folder of the configuration, which says nothing to a
  // reader.
  constexpr std::string_view kBin = "/bin/";
  const size_t bin = path.find(kBin);
  if (path.starts_with("bazel-out/") && bin != std::string::npos) path.erase(0, bin + kBin.size());
  return path;
}

// The debug information of one module.
class Module {
 public:
  explicit Module(Dwfl_Module* module) {
    Dwarf_Die* unit = nullptr;
    Dwarf_Addr bias = 0;
    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) units_.Add(*unit);
    units_.Sort();
  }

  // Frames at `address` as it stands in the file, innermost first; none if nothing is known.
  std::vector<SourceFrame> Frames(Dwarf_Addr address) {
    std::vector<SourceFrame> frames;
    const Dwarf_Die* found = units_.Find(address);
    if (found == nullptr) return frames;
    Dwarf_Die unit = *found;

    std::vector<Dwarf_Die> chain;
    if (const Dwarf_Die* function = FunctionsOf(unit).Find(address)) {
      chain.push_back(*function);
      AppendInlined(*function, address, chain);
    }

    SourceFrame frame;
    if (Dwarf_Line* line = dwarf_getsrc_die(&unit, address)) {
      frame.file = AsCompiled(dwarf_linesrc(line, nullptr, nullptr), unit);
      dwarf_lineno(line, &frame.line);
    }
    Dwarf_Files* files = nullptr;
    size_t file_count = 0;
    if (dwarf_getsrcfiles(&unit, &files, &file_count) != 0) files = nullptr;
    for (; !chain.empty(); chain.pop_back()) {
      Dwarf_Die function = chain.back();
      frame.function = FunctionName(function);
      frame.inlined = dwarf_tag(&function) == DW_TAG_inlined_subroutine;
      frames.push_back(std::exchange(frame, {}));
      // Where the next one is, is where this one was inlined.
      const Dwarf_Word file = NumberOf(function, DW_AT_call_file);
      if (files != nullptr && file < file_count)
        frame.file = AsCompiled(dwarf_filesrc(files, file, nullptr, nullptr), unit);
      frame.line = static_cast<int>(NumberOf(function, DW_AT_call_line));
    }
    if (frames.empty() && !frame.file.empty()) frames.push_back(std::move(frame));
    return frames;
  }

 private:
  const RangeIndex& FunctionsOf(Dwarf_Die unit) {
    auto [entry, is_new] = functions_.try_emplace(dwarf_dieoffset(&unit));
    if (is_new) {
      AddFunctions(unit, entry->second);
      entry->second.Sort();
    }
    return entry->second;
  }

  RangeIndex units_;
  std::unordered_map<Dwarf_Off, RangeIndex> functions_;  // by unit
};

// No separate debug files: they are looked for in system folders and, where DEBUGINFOD_URLS is set,
// in the network.
int FindNoDebugFile(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                    GElf_Word, char**) {
  return -1;
}

// It stays open, and may have been opened in the middle of an execution.
int FindFile(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, char** file_name,
             Elf** elf) {
  return sim::MoveAbove(dwfl_linux_proc_find_elf(module, data, name, base, file_name, elf));
}

constexpr Dwfl_Callbacks kCallbacks = {
    .find_elf = FindFile,
    .find_debuginfo = FindNoDebugFile,
    .section_address = nullptr,
    .debuginfo_path = nullptr,
};

class Process {
 public:
  const std::vector<SourceFrame>& Lookup(uintptr_t return_address) {
    auto [entry, is_new] = cache_.try_emplace(return_address);
    if (is_new) entry->second = Frames(return_address);
    return entry->second;
  }

  const std::string& LookupVariable(uintptr_t address) {
    auto [entry, is_new] = variables_.try_emplace(address);
    if (is_new) entry->second = Variable(address);
    return entry->second;
  }

  const std::string& LookupThreadLocal(uintptr_t module, uint64_t place) {
    auto [entry, is_new] = thread_locals_.try_emplace({module, place});
    if (is_new) entry->second = ThreadLocalVariable(module, place);
    return entry->second;
  }

 private:
  std::vector<SourceFrame> Frames(uintptr_t return_address) {
    // The call is before the address that it returns to.
    const Dwarf_Addr pc = return_address == 0 ? 0 : return_address - 1;
    Dwfl_Module* module = ModuleAt(pc);
    if (module == nullptr) return {Unknown(fmt::format("{:#x}", return_address))};

    Dwarf_Addr bias = 0;
    std::vector<SourceFrame> frames;
    if (dwfl_module_getdwarf(module, &bias) != nullptr) {
      auto [entry, is_new] = modules_.try_emplace(module);
      if (is_new) entry->second = std::make_unique<Module>(module);
      frames = entry->second->Frames(pc - bias);
    }
    // The symbol table knows the whole name of the function whose code it is, libraries without
    // debug information included.
    const char* symbol = dwfl_module_addrname(module, pc);
    if (frames.empty()) frames.push_back({});
    std::string& function = frames.back().function;
    if (symbol != nullptr && !frames.back().inlined) function = Demangled(symbol);
    if (function.empty()) {
      Dwarf_Addr start = 0;
      const char* file =
          dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
      function = file == nullptr
                     ? fmt::format("{:#x}", return_address)
                     : fmt::format("{}+{:#x}", std::filesystem::path(file).filename().string(),
                                   return_address - start);
    }
    for (SourceFrame& frame : frames) {
      if (frame.function.empty()) frame.function = fmt::format("{:#x}", return_address);
    }
    return frames;
  }

  std::string Variable(uintptr_t address) {
    if (!Begun()) return {};
    // What has been loaded since has no names: to look would take a millisecond for every address.
    Dwfl_Module* module = Containing(address);
    // Of the executable, variables that begin as zeros may lie behind what the file has of it.
    if (address >= Address(__executable_start) && address < Address(end))
      module = Containing(Address(__executable_start));
    if (module == nullptr) return {};
    GElf_Off offset = 0;
    GElf_Sym symbol = {};
    const char* const name =
        dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
    if (name == nullptr || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || offset >= symbol.st_size)
      return {};
    return PlaceIn(name, offset);
  }

  std::string ThreadLocalVariable(uintptr_t address, uint64_t place) {
    if (!Begun()) return {};
    Dwfl_Module* const module = Containing(address);
    const int count = module != nullptr ? dwfl_module_getsymtab(module) : 0;
    for (int i = 0; i < count; ++i) {
      GElf_Sym symbol = {};
      GElf_Addr value = 0;
      const char* const name =
          dwfl_module_getsym_info(module, i, &symbol, &value, nullptr, nullptr, nullptr);
      // Of these the value is the place.
      if (name != nullptr && GELF_ST_TYPE(symbol.st_info) == STT_TLS &&
          symbol.st_shndx != SHN_UNDEF && place - symbol.st_value < symbol.st_size)
        return PlaceIn(name, place - symbol.st_value);
    }
    return {};
  }

  // So far behind the beginning of a variable.
  static std::string PlaceIn(std::string_view variable, uint64_t offset) {
    // "counter.0": a part of a variable that the compiler has split, or one of several of a name.
    const size_t end = variable.find_last_not_of("0123456789");
    if (end != std::string_view::npos && end + 1 < variable.size() && variable[end] == '.')
      variable = variable.substr(0, end);
    const std::string text = Demangled(std::string(variable).c_str());
    return offset == 0 ? text : fmt::format("{}+{}", text, offset);
  }

  static SourceFrame Unknown(std::string function) {
    SourceFrame frame;
    frame.function = std::move(function);
    return frame;
  }

  bool Begun() {
    if (dwfl_ != nullptr) return true;
    dwfl_ = dwfl_begin(&kCallbacks);
    if (dwfl_ == nullptr) return false;
    Report();
    return true;
  }

  Dwfl_Module* ModuleAt(Dwarf_Addr pc) {
    if (!Begun()) return nullptr;
    Dwfl_Module* module = Containing(pc);
    if (module != nullptr || pc == 0) return module;
    // It may have been loaded since. Modules that are still there keep their identity.
    Report();
    return Containing(pc);
  }

  // dwfl_addrmodule counts the gap behind a module as part of it.
  Dwfl_Module* Containing(Dwarf_Addr pc) {
    Dwfl_Module* module = dwfl_addrmodule(dwfl_, pc);
    if (module == nullptr) return nullptr;
    Dwarf_Addr end = 0;
    dwfl_module_info(module, nullptr, nullptr, &end, nullptr, nullptr, nullptr, nullptr);
    return pc < end ? module : nullptr;
  }

  // Tells libdwfl what is loaded now.
  void Report() {
    const auto forget = [](Dwfl_Module* module, void*, const char*, Dwarf_Addr, void* process) {
      static_cast<Process*>(process)->modules_.erase(module);
      return static_cast<int>(DWARF_CB_OK);
    };
    dwfl_report_begin(dwfl_);
    // An error here leaves modules out: their addresses stay hexadecimal.
    static_cast<void>(dwfl_linux_proc_report(dwfl_, getpid()));
    static_cast<void>(dwfl_report_end(dwfl_, forget, this));
  }

  Dwfl* dwfl_ = nullptr;
  std::map<Dwfl_Module*, std::unique_ptr<Module>> modules_;
  std::unordered_map<uintptr_t, std::vector<SourceFrame>> cache_;
  std::unordered_map<uintptr_t, std::string> variables_;
  std::map<std::pair<uintptr_t, uint64_t>, std::string> thread_locals_;
};

// Calls `function` on the stack that ends at `top`. It must not throw.
void CallOnStack(char* top, void (*function)(void*), void* argument) {
  asm volatile(
      "mov %%rsp, %%rbx\n\t"
      "mov %[top], %%rsp\n\t"
      "call *%[function]\n\t"
      "mov %%rbx, %%rsp\n\t"
      : "+D"(argument), [top] "+r"(top), [function] "+r"(function)
      :
      : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3",
        "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "cc", "memory");
}

// No static initialisation, whose guards the runtime interposes, and no destructor: other static
// destructors may report.
constinit std::mutex process_mutex;
constinit Process* process = nullptr;
constinit char* stack_top = nullptr;

// What `look_up` says of the process, on a stack of its own: libdw takes more than 64 KiB, and who
// asks may be a handler of signals, on a stack of the program's.
template <class Result>
Result Ask(auto look_up) {
  const std::lock_guard lock(process_mutex);
  if (process == nullptr) process = new Process;
  if (stack_top == nullptr) {
    constexpr size_t kStackBytes = 1 << 20;
    char* const stack = MapGuardedStack(kStackBytes);
    if (stack == nullptr) return look_up(*process);
    stack_top = stack + kStackBytes;
  }
  struct Question {
    decltype(look_up)& ask;
    Result answer;
  };
  Question question = {look_up, {}};
  CallOnStack(
      stack_top,
      [](void* data) {
        auto& asked = *static_cast<Question*>(data);
        asked.answer = asked.ask(*process);
      },
      &question);
  return std::move(question.answer);
}

}  // namespace

std::vector<SourceFrame> Symbolize(uintptr_t return_address) {
  return Ask<std::vector<SourceFrame>>(
      [=](Process& asked) { return asked.Lookup(return_address); });
}

std::string VariableName(const void* address) {
  return Ask<std::string>(
      [=](Process& asked) { return asked.LookupVariable(reinterpret_cast<uintptr_t>(address)); });
}

std::string ThreadLocalName(const void* module, size_t place) {
  return Ask<std::string>([=](Process& asked) {
    return asked.LookupThreadLocal(reinterpret_cast<uintptr_t>(module), place);
  });
}

}  // namespace jacquard
