#include "fuzzers/triage.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <tuple>

#include "fuzzers/child_process.h"
#include "fuzzers/engine.h"
#include "fuzzers/load_input.h"
#include "fuzzers/shell_word.h"
#include "fuzzers/text.h"
#include "fuzzers/tool.h"

namespace jacquard::fuzzers {
namespace {

namespace fs = std::filesystem;

constexpr int kReplays = 10;

// What follows `key` on the first line that begins with it; "" if there is none.
std::string LineAfter(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (text.substr(at, end - at).starts_with(key))
      return std::string(text.substr(at + key.size(), end - at - key.size()));
    at = end + 1;
  }
  return {};
}

ChildResult RunAgain(const Rerun& rerun, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {rerun.program};
  command.insert(command.end(), rerun.flags.begin(), rerun.flags.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunChild(command, ".");
}

// "AddressSanitizer: heap-use-after-free lock.h:12:3 in Lock::Unlock()" without the place, which
// every edit moves.
std::string SignatureOfSummary(const std::string& summary) {
  const size_t tool = summary.find(": ");
  const size_t kind = tool == std::string::npos ? summary.size() : summary.find(' ', tool + 2);
  const size_t function = summary.find(" in ");
  if (kind >= summary.size() || function == std::string::npos) return summary;
  return fmt::format("{}|{}", summary.substr(0, kind), summary.substr(function + 4));
}

// The signature of the failure of `file`; "" if it passes.
std::string SignatureOf(const Rerun& rerun, const std::string& file) {
  const ChildResult result = RunAgain(rerun, {"--replay", file});
  if (result.exit_status == kExitPass) return {};
  if (const std::string signature = LineAfter(result.output, "Signature: "); !signature.empty())
    return signature;
  if (const std::string summary = LineAfter(result.output, "SUMMARY: "); !summary.empty())
    return SignatureOfSummary(summary);
  return result.exit_status > 128
             ? fmt::format("process ended by signal {}", result.exit_status - 128)
             : fmt::format("process ended with status {}", result.exit_status);
}

struct File {
  std::string path;
  std::time_t changed = 0;
  size_t size = 0;  // as bytes, whatever form it has
};

std::string TimeText(std::time_t time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(time));
}

struct Bug {
  std::string signature;
  std::vector<File> files;  // the smallest first
  std::string reproducer;   // a path
  int reproduced = 0;       // of kReplays
  std::string problem;      // why there is no reproducer, or it is not minimised; "" mostly

  std::time_t FirstSeen() const { return std::ranges::min(files, {}, &File::changed).changed; }
  std::time_t LastSeen() const { return std::ranges::max(files, {}, &File::changed).changed; }
};

struct Findings {
  std::vector<Bug> bugs;  // what was found most often first
  std::vector<std::string> passing;
  std::vector<std::string> no_inputs;  // each with the reason
};

// "" or what is wrong with the folder.
std::string ListFiles(const std::string& folder, std::vector<std::string>& paths) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file()) paths.push_back(it->path());
  }
  if (error) return fmt::format("{}: {}", folder, error.message());
  std::ranges::sort(paths);
  return {};
}

Findings Group(const std::vector<std::string>& paths, const Codec& codec, const Rerun& rerun) {
  Findings findings;
  std::map<std::string, Bug> bugs;
  for (const std::string& path : paths) {
    Input input;
    if (const std::string problem = LoadInput(path, codec, &input); !problem.empty()) {
      findings.no_inputs.push_back(problem);
      continue;
    }
    const std::string signature = SignatureOf(rerun, path);
    if (signature.empty()) {
      findings.passing.push_back(path);
      continue;
    }
    struct stat status = {};
    static_cast<void>(stat(path.c_str(), &status));
    Bug& bug = bugs[signature];
    bug.signature = signature;
    bug.files.push_back({path, status.st_mtime, codec.Encode(input).size()});
  }
  for (auto& [signature, bug] : bugs) {
    std::ranges::sort(bug.files, [](const File& one, const File& other) {
      return std::tie(one.size, one.path) < std::tie(other.size, other.path);
    });
    findings.bugs.push_back(std::move(bug));
  }
  std::ranges::sort(findings.bugs, [](const Bug& one, const Bug& other) {
    const size_t often = one.files.size();
    return often != other.files.size() ? often > other.files.size()
                                       : one.signature < other.signature;
  });
  return findings;
}

// The input in `path`, minimised if that is possible. `problem`: why it is not.
Input MinimalInput(const std::string& path, const Codec& codec, const Rerun& rerun,
                   std::string& problem) {
  const ScratchFolder scratch;
  const std::string minimised = scratch.path() + "/minimised.txt";
  const ChildResult result = RunAgain(rerun, {"--minimize", path, "-o", minimised});
  Input input;
  if (result.exit_status != kExitPass || !LoadInput(minimised, codec, &input).empty()) {
    problem = LineAfter(result.output, "jacquard: ");
    if (problem.empty()) problem = "minimising it failed";
    static_cast<void>(LoadInput(path, codec, &input));  // it could be read before
  }
  return input;
}

// Where a text with this name and content is to be written: beside others of the name with other
// content. `exists`: it is there already.
std::string FreePath(const std::string& folder, const std::string& name, const std::string& text,
                     bool& exists) {
  for (int i = 1;; ++i) {
    const std::string path = i == 1 ? fmt::format("{}/{}.txt", folder, name)
                                    : fmt::format("{}/{}-{}.txt", folder, name, i);
    Bytes bytes;
    if (!fs::exists(path)) {
      exists = false;
      return path;
    }
    if (ReadFile(path, &bytes).empty() && std::ranges::equal(bytes, text)) {
      exists = true;
      return path;
    }
  }
}

std::string WriteText(const std::string& path, const std::string& text) {
  return WriteFile(path, Bytes(text.begin(), text.end()), /*overwrite=*/false);
}

void Reproduce(Bug& bug, const Codec& codec, const Rerun& rerun, const std::string& folder) {
  // What an earlier triage has written, if it still shows this bug.
  const std::string earlier = fmt::format("{}/{}.txt", folder, NameOfSignature(bug.signature));
  if (fs::exists(earlier) && SignatureOf(rerun, earlier) == bug.signature) {
    bug.reproducer = earlier;
  } else {
    const Input input = MinimalInput(bug.files.front().path, codec, rerun, bug.problem);
    const std::string text = FormatFailure(codec, input, bug.signature);
    bool exists = false;
    bug.reproducer = FreePath(folder, NameOfSignature(bug.signature), text, exists);
    const std::string problem = exists ? "" : WriteText(bug.reproducer, text);
    if (!problem.empty()) {
      bug.problem = problem;
      bug.reproducer = bug.files.front().path;
    }
  }
  for (int i = 0; i < kReplays; ++i)
    bug.reproduced += SignatureOf(rerun, bug.reproducer) == bug.signature;
}

std::string ToText(const Findings& findings, const std::string& folder, const Rerun& rerun) {
  size_t failing = 0;
  for (const Bug& bug : findings.bugs) failing += bug.files.size();
  std::string text =
      fmt::format("{}: {} bug{} in {} file{}", folder, findings.bugs.size(),
                  findings.bugs.size() == 1 ? "" : "s", failing, failing == 1 ? "" : "s");
  if (!findings.passing.empty()) text += fmt::format("; {} passing", findings.passing.size());
  if (!findings.no_inputs.empty()) {
    text += fmt::format("; {} no input{} of this target", findings.no_inputs.size(),
                        findings.no_inputs.size() == 1 ? "" : "s");
  }
  text += "\n";
  int number = 0;
  for (const Bug& bug : findings.bugs) {
    text += fmt::format("\n{:2}. {}\n", ++number, bug.signature);
    text += fmt::format("    files       {}, first {}, last {}\n", bug.files.size(),
                        TimeText(bug.FirstSeen()), TimeText(bug.LastSeen()));
    text += fmt::format("    reproducer  {}\n", bug.reproducer);
    if (!bug.problem.empty())
      text += fmt::format("                not minimised: {}\n", bug.problem);
    text += fmt::format("    reproduces  {} of {}\n", bug.reproduced, kReplays);
    text += fmt::format("    replay      {} {}\n", rerun.replay, ShellWord(bug.reproducer));
  }
  if (!findings.passing.empty()) text += "\nPassing now:\n";
  for (const std::string& path : findings.passing) text += fmt::format("    {}\n", path);
  if (!findings.no_inputs.empty()) text += "\nNo inputs of this target:\n";
  for (const std::string& problem : findings.no_inputs) text += fmt::format("    {}\n", problem);
  return text;
}

std::string ToJson(const Findings& findings, const std::string& folder, const Rerun& rerun) {
  auto bugs = nlohmann::ordered_json::array();
  for (const Bug& bug : findings.bugs) {
    auto files = nlohmann::ordered_json::array();
    for (const File& file : bug.files) files.push_back(file.path);
    nlohmann::ordered_json entry = {{"signature", bug.signature},
                                    {"first_seen", TimeText(bug.FirstSeen())},
                                    {"last_seen", TimeText(bug.LastSeen())},
                                    {"reproducer", bug.reproducer},
                                    {"replays", kReplays},
                                    {"reproduced", bug.reproduced},
                                    {"replay", rerun.replay + " " + ShellWord(bug.reproducer)},
                                    {"files", std::move(files)}};
    if (!bug.problem.empty()) entry["not_minimised"] = bug.problem;
    bugs.push_back(std::move(entry));
  }
  const nlohmann::ordered_json json = {{"jacquard_triage", 1},
                                       {"folder", folder},
                                       {"bugs", std::move(bugs)},
                                       {"passing", findings.passing},
                                       {"no_inputs", findings.no_inputs}};
  // Names of files may be anything.
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string NameOfSignature(const std::string& signature) {
  constexpr size_t kLongest = 120;
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::string name;
  for (size_t at = 0; at < signature.size();) {
    if (plain(signature[at])) {
      name += signature[at++];
      continue;
    }
    // A run of other characters is one: between the parts of a signature, or between words.
    char separator = '_';
    for (; at < signature.size() && !plain(signature[at]); ++at) {
      if (signature[at] == '|') separator = '-';
    }
    if (!name.empty() && at < signature.size()) name += separator;
  }
  if (name.size() > kLongest) {
    // What was cut off still tells two apart.
    const uint64_t hash = HashOf(Bytes(signature.begin(), signature.end()));
    name = fmt::format("{}-{:08x}", name.substr(0, kLongest), hash & 0xffffffff);
  }
  return name.empty() ? "failure" : name;
}

int Triage(const CommandLine& line, const Codec& codec, const Rerun& rerun) {
  std::vector<std::string> paths;
  if (const std::string problem = ListFiles(line.file, paths); !problem.empty())
    return Complain(problem);
  Findings findings = Group(paths, codec, rerun);
  const std::string output = line.output.empty() ? line.file + "/reproducers" : line.output;
  if (!findings.bugs.empty()) {
    std::error_code error;
    fs::create_directories(output, error);
    if (error) return Complain(fmt::format("{}: {}", output, error.message()));
  }
  for (Bug& bug : findings.bugs) Reproduce(bug, codec, rerun, output);
  const std::string text =
      line.json ? ToJson(findings, line.file, rerun) : ToText(findings, line.file, rerun);
  static_cast<void>(WriteFile("-", Bytes(text.begin(), text.end()), true));
  return findings.bugs.empty() ? kExitPass : kExitFailure;
}

int AddRegression(const CommandLine& line, const Codec& codec, const Rerun& rerun) {
  if (line.output.empty())
    return Complain("--add-regression: -o FOLDER is missing: the folder of the corpus");
  if (!fs::is_directory(line.output)) return Complain(line.output + ": no folder");
  Input input;
  if (const std::string problem = LoadInput(line.file, codec, &input); !problem.empty())
    return Complain(problem);
  std::string signature = SignatureOf(rerun, line.file);
  if (signature.empty()) {
    Bytes bytes;
    static_cast<void>(ReadFile(line.file, &bytes));  // it could be read before
    signature = LineAfter(std::string(bytes.begin(), bytes.end()), kVerdictComment);
  }
  if (signature.empty()) {
    return Complain(fmt::format(
        "{}: passes, and does not say what it failed with; a text says so in a comment, "
        "\"{}SIGNATURE\"",
        line.file, kVerdictComment));
  }
  const std::string text = FormatFailure(codec, input, signature);
  bool exists = false;
  const std::string path = FreePath(line.output, NameOfSignature(signature), text, exists);
  if (exists) {
    Print(fmt::format("jacquard: is there already\n{}\n", path));
    return kExitPass;
  }
  if (const std::string problem = WriteText(path, text); !problem.empty()) return Complain(problem);
  Print(path + "\n");
  return kExitPass;
}

}  // namespace jacquard::fuzzers
