#include "fuzzers/tool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "fuzzers/engine.h"
#include "fuzzers/load_input.h"
#include "fuzzers/seed_sources.h"
#include "fuzzers/shell_word.h"
#include "fuzzers/text.h"

namespace jacquard::fuzzers {
namespace {

// How often the native form tries one input: its failures depend on timing.
constexpr int kNativeReplays = 1000;

// The name of a seed in the folder of all: that of its file without ".txt", with a number where two
// are called the same.
std::string SeedName(const std::string& path, const std::set<std::string>& taken) {
  std::filesystem::path file = std::filesystem::path(path).filename();
  if (file.extension() == kTextExtension) file.replace_extension();
  const std::string base = file.string();
  std::string name = base;
  for (int i = 2; taken.contains(name); ++i) name = fmt::format("{}-{}", base, i);
  return name;
}

int WriteSeedCorpus(const CommandLine& line, const Codec& codec) {
  std::error_code error;
  std::filesystem::create_directories(line.output, error);
  if (error) return Complain(fmt::format("{}: {}", line.output, error.message()));
  std::vector<std::string> files;
  std::set<std::string> in_folders;
  for (const std::string& path : line.files) {
    const size_t before = files.size();
    if (const std::string problem = AddFiles(path, files); !problem.empty())
      return Complain(problem);
    for (size_t i = before; i < files.size(); ++i) {
      if (files[i] != path) in_folders.insert(files[i]);
    }
  }
  int unknown = 0;  // what lies in a folder may be anything
  std::set<std::string> taken;
  std::vector<std::pair<std::string, Bytes>> seeds;
  std::string sources;
  for (const std::string& path : files) {
    Bytes bytes;
    std::string problem = ReadFile(path, &bytes);
    if (problem.empty() && IsTextFile(path, bytes)) {
      Input input;
      problem = ParseFile(path, bytes, codec, &input);
      if (problem.empty()) bytes = codec.Encode(input);
    } else if (problem.empty() && !Codec::Recognise(bytes, &problem)) {
      problem = in_folders.contains(path) ? std::string() : path + ": " + problem;
      ++unknown;
    }
    if (!problem.empty()) return Complain(problem);
    const std::string name = SeedName(path, taken);
    taken.insert(name);
    sources += SeedSource(bytes, path);
    seeds.emplace_back(name, std::move(bytes));
  }
  // All are read before the first is written: a mistake leaves no half of a corpus.
  for (const auto& [name, bytes] : seeds) {
    const std::string problem = WriteFile(line.output + "/" + name, bytes, line.force);
    if (!problem.empty()) return Complain(problem);
  }
  if (unknown != 0) {
    Print(fmt::format(
        "warning: {} of {} files are no inputs of this target; the engine gets them as they are\n",
        unknown, files.size()));
  }
  if (line.sources.empty()) return kExitPass;
  const std::string problem =
      WriteFile(line.sources, Bytes(sources.begin(), sources.end()), line.force);
  return problem.empty() ? kExitPass : Complain(problem);
}

// The file of --html before the work, not after it; `output` is what else is written. "" or what is
// wrong.
std::string HtmlProblem(const CommandLine& line, const std::string& output) {
  if (line.html.empty()) return {};
  if (std::string_view(FormName()) == "native")
    return "--html needs the simulated form: of real threads there is no trace";
  if (line.html == "-" && line.json) return "--html -, --json: both want the standard output";
  if (line.html == line.file || line.html == output)
    return fmt::format("--html {}: that is the input's file, or the result's", line.html);
  if (std::error_code error; std::filesystem::is_directory(line.html, error))
    return line.html + ": is a folder; --html wants a file";
  return OutputProblem(line.html, line.force);
}

// The report of `input`, in all the forms that were asked for. "" or what could not be written.
std::string WriteReport(const CommandLine& line, const Input& input, Form& form) {
  const auto bytes = [](const std::string& text) { return Bytes(text.begin(), text.end()); };
  if (line.json) {
    const std::string json = form.Report(input, ReportFormat::kJson);
    if (std::string problem = WriteFile("-", bytes(json), true); !problem.empty()) return problem;
  } else {
    Print(form.Report(input));
  }
  if (line.html.empty()) return {};
  const std::string page = form.Report(input, ReportFormat::kHtml);
  return WriteFile(line.html, bytes(page), line.force);
}

}  // namespace

int Complain(const std::string& message) {
  Print("jacquard: " + message + "\n");
  return kExitUsage;
}

int Convert(const CommandLine& line, const Codec& codec) {
  if (line.mode == CommandLine::Mode::kSeedCorpus) return WriteSeedCorpus(line, codec);
  Input input;
  if (const std::string problem = LoadInput(line.file, codec, &input); !problem.empty()) {
    return Complain(problem);
  }
  Bytes result;
  std::string output = line.output.empty() ? "-" : line.output;
  if (line.mode == CommandLine::Mode::kToText) {
    const std::string text = FormatText(codec, input);
    result.assign(text.begin(), text.end());
  } else {
    if (output == "-" && isatty(STDOUT_FILENO)) return Complain("--from-text: -o FILE is missing");
    result = codec.Encode(input);
  }
  const std::string problem = WriteFile(output, result, line.force);
  return problem.empty() ? kExitPass : Complain(problem);
}

int Minimize(const CommandLine& line, const Codec& codec, FormOptions options,
             const std::string& replay) {
  Input input;
  if (const std::string problem = LoadInput(line.file, codec, &input); !problem.empty()) {
    return Complain(problem);
  }
  const bool as_text = line.file.ends_with(kTextExtension);
  std::string output = line.output;
  if (output.empty()) {
    if (line.file == "-") return Complain("--minimize: -o FILE is missing");
    output = as_text ? line.file.substr(0, line.file.size() - kTextExtension.size()) + ".min" +
                           std::string(kTextExtension)
                     : line.file + ".min";
  }
  // Before the work, not after it.
  std::string problem = OutputProblem(output, line.force);
  if (problem.ends_with(kForceOverwrites)) problem += ", -o names another file";
  if (problem.empty()) problem = HtmlProblem(line, output);
  if (!problem.empty()) return Complain(problem);
  if (line.shape_threads != 0) codec.Reshape(line.shape_threads, line.shape_operations, input);
  options.on_fatal = [](const std::string& report, bool no_step) {
    Print(report);
    if (!no_step) _exit(kExitUsage);
  };
  options.replay_command = replay + " " + ShellWord(output);
  options.features = 0;
  if (std::string_view(FormName()) == "native") {
    return Complain("--minimize needs the simulated form: real threads do not fail every time");
  }
  Form form(codec, std::move(options));
  if (form.Execute(input)) return Complain(line.file + ": passes: there is nothing to minimise");
  const std::string summary = form.Minimize(input, line.minimize_executions);
  (void)form.Execute(input);
  Bytes bytes = codec.Encode(input);
  if (as_text || output.ends_with(kTextExtension)) {
    const std::string text = FormatFailure(codec, input, form.signature());
    bytes.assign(text.begin(), text.end());
  }
  problem = WriteReport(line, input, form);
  if (problem.empty()) problem = WriteFile(output, bytes, line.force);
  if (!problem.empty()) return Complain(problem);
  Print(fmt::format("jacquard: {}\n{}\n", summary, output));
  return kExitPass;
}

int Replay(const CommandLine& line, const Codec& codec, FormOptions options) {
  Input input;
  if (const std::string problem = LoadInput(line.file, codec, &input); !problem.empty()) {
    return Complain(problem);
  }
  if (const std::string problem = HtmlProblem(line, ""); !problem.empty()) return Complain(problem);
  if (line.shape_threads != 0) codec.Reshape(line.shape_threads, line.shape_operations, input);
  options.on_fatal = [](const std::string& report, bool no_step) {
    Print(report);
    if (!no_step) _exit(kExitFailure);
  };
  if (line.repeat == 1) options.features = 0;  // else as in a fuzzing run
  options.one_after_another = line.repeat > 1;
  Form form(codec, std::move(options));
  const bool native = std::string_view(FormName()) == "native";
  const int tries = native ? std::max(line.repeat, kNativeReplays) : line.repeat;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < tries; ++i) {
    if (form.Execute(input)) continue;
    const std::string problem = WriteReport(line, input, form);
    return problem.empty() ? kExitFailure : Complain(problem);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (native) {
    Print(fmt::format("{}: passes {} times on real threads\n", line.file, tries));
  } else if (tries == 1) {
    Print(fmt::format("{}: passes ({} steps)\n", line.file, form.steps()));
  } else {
    Print(fmt::format("{}: passes {} times ({} steps each), {:.0f} executions a second\n",
                      line.file, tries, form.steps() / static_cast<uint64_t>(tries),
                      tries / time.count()));
  }
  // Who asks for a form of the timeline wants it also of what passes: of a seed, say.
  if (native || !(line.all || line.json || !line.html.empty())) return kExitPass;
  const std::string problem = WriteReport(line, input, form);
  return problem.empty() ? kExitPass : Complain(problem);
}

}  // namespace jacquard::fuzzers
