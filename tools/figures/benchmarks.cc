#include "tools/figures/benchmarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/plot.h"
#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr const char* kProgram = "stress/benchmarks/lock_benchmarks";
constexpr const char* kOurs = "vma_lock";
constexpr const char* kMap = "std_map_shared_mutex";

// One number of each run.
using Numbers = std::vector<double>;

// What was measured with one lock, by CASE[/SIZE][xTHREADS][:NUMBER].
using Results = std::map<std::string, std::map<std::string, Numbers>>;

Results results;
std::vector<std::string> locks;  // in the program's order

// The size is the part of the name that is a number.
std::string SizeOf(const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (part.find_first_not_of("0123456789") == std::string::npos) return "/" + part;
  }
  return "";
}

void Add(const nlohmann::json& run) {
  const std::string name = run.at("name");
  if (run.contains("error_occurred")) throw std::runtime_error(name + " failed");
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string& lock = parts.at(1);
  if (parts[0] == "uncontended" && std::ranges::find(locks, lock) == locks.end())
    locks.push_back(lock);
  const int threads = run.at("threads");
  const std::string key =
      parts[0] + SizeOf(parts) + (threads > 1 ? fmt::format("x{}", threads) : "");
  const auto add = [&](const std::string& number, double value) {
    results[key + number][lock].push_back(value);
  };
  bool has_counters = false;
  for (const char* const counter : {"median_ns", "p999_ns", "lock_ns", "release_ns", "bytes"}) {
    if (!run.contains(counter)) continue;
    add(fmt::format(":{}", counter), run.at(counter));
    has_counters = true;
  }
  if (has_counters) return;
  // Of what one thread does alone, CPU time, which a busy machine does not distort much.
  const bool by_clock = name.find("/real_time") != std::string::npos;
  add("",
      by_clock ? 1e9 / run.at("items_per_second").get<double>() : run.at("cpu_time").get<double>());
}

void RunOnce() {
  const ScratchFolder scratch;
  const std::string json = scratch.path() + "/benchmarks.json";
  const ChildResult result = RunChild({Program(kProgram), "--benchmark_min_time=0.03",
                                       "--benchmark_out=" + json, "--benchmark_out_format=json"},
                                      scratch.path());
  if (result.exit_status != 0) throw std::runtime_error("the benchmarks failed:\n" + result.output);
  const auto document = nlohmann::json::parse(ReadText(json));
  for (const auto& run : document.at("benchmarks")) Add(run);
}

const Numbers& At(const std::string& key, const std::string& lock) {
  const auto found = results.find(key);
  if (found == results.end() || !found->second.contains(lock)) {
    throw std::runtime_error(fmt::format("the benchmarks say nothing of {} of {}", key, lock));
  }
  return found->second.at(lock);
}

// Run by run: what is divided was measured at nearly the same time.
Numbers Ratios(const Numbers& above, const Numbers& below) {
  Numbers ratios;
  for (size_t i = 0; i < above.size(); ++i) ratios.push_back(above[i] / below.at(i));
  return ratios;
}

std::string Spread(const Numbers& numbers) {
  const auto [least, most] = std::ranges::minmax(numbers);
  return fmt::format("{:.3g} ({:.3g} to {:.3g})", Median(numbers), least, most);
}

Figure OfRatios(const std::string& name, const Numbers& ratios, const std::string& unit,
                Bar bar_kind, double bar, const std::string& how) {
  const auto [least, most] = std::ranges::minmax(ratios);
  return {name, Median(ratios),
          unit, bar_kind,
          bar,  fmt::format("{}; median of {} runs, {:.3g} to {:.3g}", how, kRuns, least, most)};
}

std::vector<Figure> Measure() {
  results.clear();
  locks.clear();
  for (int run = 0; run < kRuns; ++run) RunOnce();
  return {
      OfRatios("lock_read_against_limit",
               Ratios(At("uncontended", kOurs), At("uncontended", "limit")), "times as long",
               Bar::kAtMost, 1.4,
               "an uncontended read lock and unlock against one atomic addition and one "
               "subtraction, CPU time"),
      OfRatios("lock_read_against_pthread_rwlock",
               Ratios(At("uncontended", "pthread_rwlock"), At("uncontended", kOurs)),
               "times as fast", Bar::kAtLeast, 1.2,
               "an uncontended read lock and unlock against that of pthread_rwlock, CPU time"),
      OfRatios("lock_read_scaling",
               Ratios(At("different_objects", kOurs), At("different_objectsx2", kOurs)),
               "times one thread", Bar::kAtLeast, 1.8,
               "read locks a second of two threads on different VMAs of one mm against one thread"),
      OfRatios("lock_release_growth",
               Ratios(At("release_all/1000000:release_ns", kOurs),
                      At("release_all/1:release_ns", kOurs)),
               "times as long", Bar::kAtMost, 10,
               "the release of a million write-locked VMAs against that of one"),
  };
}

// ---- the page

// A row for each lock: a number of it, and how often the base's goes into it.
std::string Table(const std::string& key, const std::string& base, const std::string& unit) {
  std::string text = fmt::format("| lock | {} | times {} |\n|---|---|---|\n", unit, base);
  for (const std::string& lock : locks) {
    if (!results.at(key).contains(lock)) continue;
    const Numbers& numbers = At(key, lock);
    text += fmt::format("| {} | {} | {} |\n", lock, Spread(numbers),
                        Spread(Ratios(numbers, At(key, base))));
  }
  return text + "\n";
}

std::string ScalingTable() {
  std::string text =
      "| lock | ns, one thread | times as many a second with two |\n"
      "|---|---|---|\n";
  for (const std::string& lock : locks) {
    text +=
        fmt::format("| {} | {} | {} |\n", lock, Spread(At("different_objects", lock)),
                    Spread(Ratios(At("different_objects", lock), At("different_objectsx2", lock))));
  }
  return text + "\n";
}

std::string LatencyTable() {
  std::string text = "| lock | median, ns | 99.9th percentile, ns |\n|---|---|---|\n";
  for (const std::string& lock : locks) {
    if (!results.at("writer_latency:median_ns").contains(lock)) continue;
    text += fmt::format("| {} | {} | {} |\n", lock, Spread(At("writer_latency:median_ns", lock)),
                        Spread(At("writer_latency:p999_ns", lock)));
  }
  return text + "\n";
}

// Of the sizes from `first` to a million: CASE/SIZE and what follows it.
std::string SizesTable(const std::string& head, int first, const std::string& name,
                       const std::vector<std::pair<std::string, std::string>>& columns) {
  std::string text = head;
  for (int size = first; size <= 1'000'000; size *= 10) {
    text += fmt::format("| {} |", size);
    for (const auto& [suffix, lock] : columns)
      text += fmt::format(" {} |", Spread(At(fmt::format("{}/{}{}", name, size, suffix), lock)));
    text += "\n";
  }
  return text + "\n";
}

Line LineOf(const std::string& title, int first, const std::string& name, const std::string& suffix,
            const std::string& lock) {
  Line line{title, {}};
  for (int size = first; size <= 1'000'000; size *= 10) {
    line.points.emplace_back(size, Median(At(fmt::format("{}/{}{}", name, size, suffix), lock)));
  }
  return line;
}

// Those of the measurements "speed" and "peers".
std::string RuntimeTable(const std::vector<Figure>& figures) {
  std::vector<Figure> chosen;
  for (const Figure& figure : figures) {
    if (figure.name.ends_with("_per_second") || figure.name.starts_with("against_relacy"))
      chosen.push_back(figure);
  }
  return chosen.empty() ? "Not measured in this run: name `speed` and `peers`, too.\n"
                        : ToMarkdown(chosen);
}

std::vector<Figure> OfTheLock(const std::vector<Figure>& figures) {
  std::vector<Figure> chosen;
  std::ranges::copy_if(figures, std::back_inserter(chosen),
                       [](const Figure& figure) { return figure.name.starts_with("lock_re"); });
  return chosen;
}

}  // namespace

std::vector<Measurement> Benchmarks() {
  return {{"benchmarks", "how fast the lock is, beside its peers", Measure}};
}

std::string BenchmarksPage(const std::vector<Figure>& figures) {
  if (results.empty()) return "";
  std::string text =
      "<!-- Written by ./bazelw run -c opt //tools:figures -- --benchmarks docs/benchmarks.md "
      "benchmarks speed peers; do not edit. -->\n# How fast the lock is\n\n" +
      fmt::format(
          "The per-VMA lock beside its peers, all in one program (`stress/benchmarks`), which was "
          "run {} times. Each number is a median over the runs, with the least and the most; a "
          "ratio is made of two numbers of one run. `limit` is a counter, raised and lowered by "
          "one atomic operation each: what counts its readers in one word cannot do with less, and "
          "it keeps nobody out.\n\n",
          kRuns) +
      ToMarkdown(OfTheLock(figures));
  text += "\n## One reader\n\nA read lock and unlock, nobody else there; CPU time.\n\n" +
          Table("uncontended", "limit", "ns");
  text +=
      "## Two readers\n\nTwo threads on the same object; nanoseconds for each pair of lock and "
      "unlock, both threads together.\n\n" +
      Table("same_objectx2", "limit", "ns");
  text += "Each on an object of its own; the VMAs belong to one mm.\n\n" + ScalingTable();
  text +=
      "## Readers and writers\n\nTwo threads on the same object, each with so many reads for "
      "one write; nanoseconds for each operation, both threads together. Whoever finds a VMA "
      "write-locked waits for the mmap lock, and that is handed over in the order of arrival: who "
      "waits looks for it a thousand times, which takes 25 us, before it sleeps. How often they "
      "meet is up to chance.\n\n";
  for (const int reads : {100, 10, 1}) {
    text += fmt::format("{} to 1:\n\n", reads) +
            Table(fmt::format("mix_{}_to_1x2", reads), kOurs, "ns");
  }
  text +=
      "How long a writer waits for the lock while another thread reads without a pause; 2000 "
      "writes in each run.\n\n" +
      LatencyTable();
  text +=
      "## Many at once\n\nWrite-locking N objects, and releasing all of them: of VMAs by the "
      "end of the write section, of `std::shared_mutex` by N unlocks. What reading the clock "
      "takes is in the numbers.\n\n![the release](benchmarks_release.svg)\n\n" +
      SizesTable(
          "| N | locking VMAs, ns | releasing, ns | locking mutexes, ns | releasing, ns "
          "|\n|---|---|---|---|---|\n",
          1, "release_all",
          {{":lock_ns", kOurs},
           {":release_ns", kOurs},
           {":lock_ns", "std_shared_mutex"},
           {":release_ns", "std_shared_mutex"}});
  text +=
      "## Looking up\n\nA VMA by a random address, under RCU, and its read lock and unlock; "
      "beside `std::shared_mutex` around a `std::map` of objects. Nanoseconds for each, with "
      "two threads both together.\n\n![the lookup](benchmarks_lookup.svg)\n\n" +
      SizesTable(
          "| VMAs | RCU, 1 thread | mutex, 1 thread | RCU, 2 threads | mutex, 2 threads "
          "|\n|---|---|---|---|---|\n",
          10, "lookup", {{"", kOurs}, {"", kMap}, {"x2", kOurs}, {"x2", kMap}});
  text +=
      "Taking one VMA out of the map and putting it in again, in nanoseconds of CPU time: the "
      "map of `lock/` is one immutable table, which each change copies (lock/vma_map.h), so "
      "that a change costs the number of VMAs.\n\n" +
      SizesTable("| VMAs | table | std::map |\n|---|---|---|\n", 10, "change",
                 {{"", kOurs}, {"", kMap}});
  text +=
      "## Memory\n\nOf a VMA's lock: the word, the sequence number, and the address of the "
      "mm, which a recycled VMA's reader compares; nothing else without the validator.\n\n" +
      Table("bytes:bytes", kOurs, "bytes");
  return text + "## The simulated runtime\n\n" + RuntimeTable(figures);
}

std::vector<std::pair<std::string, std::string>> BenchmarksPictures() {
  return {
      {"benchmarks_release.svg",
       PlotLogarithmic(
           "Releasing N write locks", "N", "ns",
           {LineOf("end of the section", 1, "release_all", ":release_ns", kOurs),
            LineOf("N shared_mutexes", 1, "release_all", ":release_ns", "std_shared_mutex")})},
      {"benchmarks_lookup.svg",
       PlotLogarithmic("Looking up and read-locking", "VMAs", "ns",
                       {LineOf("RCU, 1 thread", 10, "lookup", "", kOurs),
                        LineOf("mutex, 1 thread", 10, "lookup", "", kMap),
                        LineOf("RCU, 2 threads", 10, "lookup", "x2", kOurs),
                        LineOf("mutex, 2 threads", 10, "lookup", "x2", kMap)})},
  };
}

}  // namespace jacquard::figures
