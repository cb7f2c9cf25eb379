// What depends on the engine.
#include "fuzzers/engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "fuzzers/files.h"
#include "fuzzers/seed_sources.h"
#include "fuzzers/shell_word.h"

namespace jacquard::fuzzers {
namespace {

using DeathCallback = void (*)();

// Where the engine writes artifacts: its -artifact_prefix, or the one file of -exact_artifact_path.
std::string artifact_prefix = "./";
std::string exact_artifact_path;
std::string replay_command;
std::string seed_sources;  // of a regression run, or ""
// libFuzzer's: saves the input of the running execution. Null: another engine, or none.
DeathCallback save_input = nullptr;
// The artifact that libFuzzer has written.
std::string artifact;
std::function<void(std::string_view)> listener;  // to what libFuzzer prints
std::atomic<bool> last_line_printed = false;
// The input of the running execution; null between executions.
std::atomic<const std::span<const uint8_t>*> running_input = nullptr;

// The status with which libFuzzer ends after a crash, unless it is told otherwise.
constexpr int kCrashExitStatus = 77;

bool IsArtifact(std::string_view path) {
  if (!exact_artifact_path.empty()) return path == exact_artifact_path;
  if (!path.starts_with(artifact_prefix)) return false;
  path.remove_prefix(artifact_prefix.size());
  for (const std::string_view kind : {"crash-", "leak-", "oom-", "timeout-"}) {
    if (path.starts_with(kind)) return true;
  }
  return false;
}

// The file of the corpus that the artifact was made of; "" if it is not known.
std::string SourceOfArtifact(const std::string& path) {
  Bytes bytes;
  if (seed_sources.empty() || !ReadFile(path, &bytes).empty()) return {};
  std::string source = SourceOfSeed(seed_sources, bytes);
  // As the user may be in any of its folders.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr || source.empty() || source.starts_with('/')) return source;
  return fmt::format("{}/{}", workspace, source);
}

// Whether that is what is in the file, which may have any length, or went to what is no file.
bool WasWritten(const std::string& path, std::span<const uint8_t> bytes) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return true;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  uint8_t buffer[4096];
  ssize_t n = 0;
  while ((n = read(file, buffer, sizeof(buffer))) > 0) {
    const auto count = static_cast<size_t>(n);
    if (count > bytes.size() || !std::equal(buffer, buffer + count, bytes.begin())) break;
    bytes = bytes.subspan(count);
  }
  close(file);
  return n == 0 && bytes.empty();
}

std::string Base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    for (size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// All that is left of an input that has no file.
void PrintLostInput(const std::string& path, std::span<const uint8_t> input) {
  Print(
      fmt::format("jacquard: {} could not be written whole (is the folder read-only, or the disk "
                  "full?); the input in Base64, which \"base64 -d > FILE\" makes a file of that "
                  "--replay takes:\n{}\n",
                  path, Base64(input)));
}

void PrintLastLines(const std::string& path) {
  // Relaxed: nothing is published by it; whoever is second prints nothing.
  if (path.empty() || last_line_printed.exchange(true, std::memory_order_relaxed)) return;
  // The engine does not look whether it could write. An artifact that is of no running execution is
  // made of another file.
  const std::span<const uint8_t>* const input = running_input.load(std::memory_order_acquire);
  if (input != nullptr && !WasWritten(path, *input)) {
    struct stat status = {};
    if (lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) unlink(path.c_str());
    return PrintLostInput(path, *input);
  }
  const std::string source = SourceOfArtifact(path);
  const std::string& file = source.empty() ? path : source;
  std::string replay;
  if (!replay_command.empty())
    replay = fmt::format("Replay:    {} {}\n", replay_command, ShellWord(file));
  // The artifact of a test may be gone with its sandbox.
  if (!seed_sources.empty() && source.empty() && replay_command.ends_with(kReplayFlag)) {
    const std::string_view command =
        std::string_view(replay_command).substr(0, replay_command.size() - kReplayFlag.size());
    replay = fmt::format("Replay:    {} --regression\n", command);
  }
  Print(replay + file + "\n");
}

// Ends the process without another word: ThreadSanitizer has its say in _exit.
[[noreturn]] void EndProcess(int status) {
  syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

void OnDeath() {
  save_input();
  PrintLastLines(artifact);
}

extern "C" {
// Never called: it is there if libFuzzer is the engine.
[[gnu::weak]] void JacquardEngineIsLibFuzzer();
// https://clang.llvm.org/docs/SanitizerCoverage.html: the engine's, if it has them. The first one
// numbers the guards.
[[gnu::weak]] void __sanitizer_cov_trace_pc_guard_init(uint32_t* start, uint32_t* stop);
[[gnu::weak]] void __sanitizer_cov_trace_pc_guard(uint32_t* guard);
}

uint32_t guards[kMostCounters];

// Before main(), like those of the code: AFL++ then decides how large its map is.
[[gnu::constructor]] void NumberGuards() {
  if (!EngineIsLibFuzzer() && __sanitizer_cov_trace_pc_guard_init != nullptr)
    __sanitizer_cov_trace_pc_guard_init(std::begin(guards), std::end(guards));
}

}  // namespace

bool EngineIsLibFuzzer() { return JacquardEngineIsLibFuzzer != nullptr; }

void TellEngine(std::span<uint8_t> counters) {
  if (EngineIsLibFuzzer() || __sanitizer_cov_trace_pc_guard == nullptr) return;
  for (size_t i = 0; i < counters.size(); ++i) {
    if (counters[i] == 0) continue;
    __sanitizer_cov_trace_pc_guard(&guards[i]);
    counters[i] = 0;
  }
}

void Print(const std::string& text) {
  const Bytes bytes(text.begin(), text.end());
  std::span<const uint8_t> rest = bytes;
  while (!rest.empty()) {
    const ssize_t n = write(STDERR_FILENO, rest.data(), rest.size());
    if (n <= 0) return;
    rest = rest.subspan(static_cast<size_t>(n));
  }
}

void SetEngineListener(std::function<void(std::string_view text)> new_listener) {
  listener = std::move(new_listener);
}

void SetArtifactFlags(const std::vector<std::string>& engine_arguments, std::string command,
                      std::string sources) {
  constexpr std::string_view kPrefix = "-artifact_prefix=";
  constexpr std::string_view kExact = "-exact_artifact_path=";
  for (const std::string& argument : engine_arguments) {
    if (argument.starts_with(kPrefix)) artifact_prefix = argument.substr(kPrefix.size());
    if (argument.starts_with(kExact)) exact_artifact_path = argument.substr(kExact.size());
  }
  replay_command = std::move(command);
  seed_sources = std::move(sources);
}

void EndWithCrash() {
  if (save_input == nullptr) std::abort();
  OnDeath();
  EndProcess(kCrashExitStatus);
}

void SaveNoStepInput(std::span<const uint8_t> input) {
  const std::string path = fmt::format("{}no-step-{:016x}", artifact_prefix, HashOf(input));
  if (const std::string error = WriteFile(path, input, /*overwrite=*/true); !error.empty()) {
    Print("jacquard: " + error + "\n");
    if (!last_line_printed.exchange(true, std::memory_order_relaxed)) PrintLostInput(path, input);
    return;
  }
  PrintLastLines(path);
}

void SetRunningInput(const std::span<const uint8_t>* input) {
  running_input.store(input, std::memory_order_release);
}

}  // namespace jacquard::fuzzers

extern "C" {

// What libFuzzer calls instead of the functions of the same names. All other code calls the real
// ones.
[[noreturn]] void JacquardEngineExit(int status) {
  jacquard::fuzzers::PrintLastLines(jacquard::fuzzers::artifact);
  jacquard::fuzzers::EndProcess(status);
}

FILE* JacquardEngineOpen(const char* path, const char* mode) {
  if (mode[0] == 'w' && jacquard::fuzzers::IsArtifact(path)) jacquard::fuzzers::artifact = path;
  return std::fopen(path, mode);
}

int JacquardEnginePrint(FILE* stream, const char* format, va_list arguments) {
  // With -close_fd_mask libFuzzer prints to a copy of standard error.
  if (jacquard::fuzzers::listener == nullptr || fileno(stream) != STDERR_FILENO)
    return std::vfprintf(stream, format, arguments);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return length;
  std::string text(static_cast<size_t>(length), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  jacquard::fuzzers::listener(text);
  return length;
}

// The same, of a library that was built with _FORTIFY_SOURCE.
int JacquardEnginePrintChecked(FILE* stream, int /*flag*/, const char* format, va_list arguments) {
  return JacquardEnginePrint(stream, format, arguments);
}

// A sanitizer's, if there is one. The first one's argument is called before it ends the process
// after a report.
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
__attribute__((weak)) void __sanitizer_print_stack_trace();
__attribute__((weak)) int __sanitizer_acquire_crash_state();

void JacquardEngineSetDeathCallback(void (*callback)()) {
  jacquard::fuzzers::save_input = callback;
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(jacquard::fuzzers::OnDeath);
  }
}

// libFuzzer warns at each start if these two are missing.
void JacquardEnginePrintStackTrace() {
  if (__sanitizer_print_stack_trace != nullptr) __sanitizer_print_stack_trace();
}

int JacquardEngineAcquireCrashState() {
  return __sanitizer_acquire_crash_state == nullptr || __sanitizer_acquire_crash_state() != 0;
}
}
