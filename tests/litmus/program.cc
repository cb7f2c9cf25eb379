#include "tests/litmus/program.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace jacquard::litmus {
namespace {

using Json = nlohmann::json;

MemoryOrder ParseOrder(const std::string& name) {
  if (name == "relaxed") return MemoryOrder::kRelaxed;
  if (name == "consume") return MemoryOrder::kConsume;
  if (name == "acquire") return MemoryOrder::kAcquire;
  if (name == "release") return MemoryOrder::kRelease;
  if (name == "acq_rel") return MemoryOrder::kAcqRel;
  if (name == "seq_cst") return MemoryOrder::kSeqCst;
  throw std::runtime_error("unknown memory order: " + name);
}

OperationKind ParseKind(const std::string& name) {
  static const std::map<std::string, OperationKind> kKinds = {
      {"store", OperationKind::kStore},
      {"load", OperationKind::kLoad},
      {"exchange", OperationKind::kExchange},
      {"fetch_add", OperationKind::kFetchAdd},
      {"compare_exchange_strong", OperationKind::kCompareExchangeStrong},
      {"compare_exchange_weak", OperationKind::kCompareExchangeWeak},
      {"fence", OperationKind::kFence},
      {"plain_store", OperationKind::kPlainStore},
      {"plain_load", OperationKind::kPlainLoad},
      {"if", OperationKind::kBranch},
  };
  const auto found = kKinds.find(name);
  if (found == kKinds.end()) throw std::runtime_error("unknown operation: " + name);
  return found->second;
}

// Turns names into numbers while it reads one test.
class TestParser {
 public:
  explicit TestParser(const Json& test) : test_(test) {}

  Program Parse() {
    program_.name = test_.at("name").get<std::string>();
    for (const auto& [name, value] : test_.at("init").items()) {
      location_ids_[name] = static_cast<int>(program_.locations.size());
      program_.locations.push_back(name);
      program_.initial.push_back(value.get<int64_t>());
      program_.plain.push_back(false);
    }
    for (const Json& thread : test_.at("threads")) {
      register_ids_.emplace_back();
      program_.threads.emplace_back();
      ParseOperations(thread, program_.threads.back());
    }
    for (const Json& name : test_.at("observe")) {
      program_.observe.push_back(ParseObservation(name.get<std::string>()));
    }
    for (const auto& ids : register_ids_) {
      program_.registers.push_back(static_cast<int>(ids.size()));
    }
    program_.racy = test_.value("racy", false);
    for (const char* key : {"allowed", "allowed_rc11", "allowed_cxx20"}) {
      if (!test_.contains(key)) continue;
      program_.allowed.push_back(test_.at(key).get<std::set<Outcome>>());
    }
    if (program_.allowed.empty()) throw std::runtime_error(program_.name + ": no outcomes");
    return program_;
  }

 private:
  int Register(size_t thread, const std::string& name) {
    auto& ids = register_ids_.at(thread);
    return ids.try_emplace(name, static_cast<int>(ids.size())).first->second;
  }

  int Location(const std::string& name) const {
    const auto found = location_ids_.find(name);
    if (found == location_ids_.end()) {
      throw std::runtime_error(program_.name + ": location without initial value: " + name);
    }
    return found->second;
  }

  Observation ParseObservation(const std::string& name) {
    const size_t colon = name.find(':');
    if (colon == std::string::npos) return {-1, Location(name)};
    const size_t thread = std::stoul(name.substr(0, colon));
    return {static_cast<int>(thread), Register(thread, name.substr(colon + 1))};
  }

  void ParseOperations(const Json& list, std::vector<Operation>& operations) {
    const size_t thread = program_.threads.size() - 1;
    for (const Json& item : list) {
      Operation op;
      op.kind = ParseKind(item.at("op").get<std::string>());
      if (item.contains("loc")) op.location = Location(item.at("loc").get<std::string>());
      if (item.contains("order")) op.order = ParseOrder(item.at("order").get<std::string>());
      if (item.contains("failure")) op.failure = ParseOrder(item.at("failure").get<std::string>());
      if (item.contains("reg")) op.reg = Register(thread, item.at("reg").get<std::string>());
      if (item.contains("ok")) op.ok = Register(thread, item.at("ok").get<std::string>());
      switch (op.kind) {
        case OperationKind::kPlainStore:
          op.value = item.at("value").get<int64_t>();
          [[fallthrough]];
        case OperationKind::kPlainLoad:
          program_.plain.at(op.location) = true;
          break;
        case OperationKind::kStore:
        case OperationKind::kExchange:
        case OperationKind::kFetchAdd:
          op.value = item.at("value").get<int64_t>();
          break;
        case OperationKind::kCompareExchangeStrong:
        case OperationKind::kCompareExchangeWeak:
          op.expected = item.at("expected").get<int64_t>();
          op.value = item.at("desired").get<int64_t>();
          break;
        case OperationKind::kBranch: {
          op.expected = item.at("equals").get<int64_t>();
          const size_t branch = operations.size();
          operations.push_back(op);
          ParseOperations(item.at("then"), operations);
          operations[branch].target = static_cast<int>(operations.size());
          continue;
        }
        case OperationKind::kLoad:
        case OperationKind::kFence:
          break;
      }
      operations.push_back(op);
    }
  }

  const Json& test_;
  Program program_;
  std::map<std::string, int> location_ids_;
  std::vector<std::map<std::string, int>> register_ids_;  // by thread
};

const char* OrderText(MemoryOrder order) {
  static constexpr const char* kNames[] = {"rlx", "con", "acq", "rel", "acqrel", "sc"};
  return kNames[static_cast<int>(order)];
}

void PrintOperation(const Program& program, const Operation& op, std::ostream& out) {
  const std::string where = op.location < 0 ? "" : program.locations[op.location];
  if (op.reg >= 0 && op.kind != OperationKind::kBranch) out << "r" << op.reg << "=";
  switch (op.kind) {
    case OperationKind::kStore:
      out << where << "." << OrderText(op.order) << "=" << op.value;
      break;
    case OperationKind::kLoad:
      out << where << "." << OrderText(op.order);
      break;
    case OperationKind::kExchange:
      out << "xchg(" << where << "." << OrderText(op.order) << "," << op.value << ")";
      break;
    case OperationKind::kFetchAdd:
      out << "add(" << where << "." << OrderText(op.order) << "," << op.value << ")";
      break;
    case OperationKind::kCompareExchangeStrong:
    case OperationKind::kCompareExchangeWeak:
      out << (op.kind == OperationKind::kCompareExchangeWeak ? "weak-cas(" : "cas(") << where << "."
          << OrderText(op.order) << "/" << OrderText(op.failure) << "," << op.expected << ","
          << op.value << ")";
      break;
    case OperationKind::kFence:
      out << "fence." << OrderText(op.order);
      break;
    case OperationKind::kPlainStore:
      out << where << ":=" << op.value;
      break;
    case OperationKind::kPlainLoad:
      out << where;
      break;
    case OperationKind::kBranch:
      out << "if r" << op.reg << "!=" << op.expected << " goto " << op.target;
      break;
  }
}

}  // namespace

std::vector<Program> ParseTable(const std::string& text) {
  const Json table = Json::parse(text);
  std::vector<Program> programs;
  for (const Json& test : table.at("tests")) programs.push_back(TestParser(test).Parse());
  return programs;
}

std::vector<Program> ReadTable(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return ParseTable(text.str());
}

std::string OutcomeText(const Outcome& outcome) {
  std::string text = "[";
  for (const int64_t value : outcome) {
    if (text.size() > 1) text += ",";
    text += std::to_string(value);
  }
  return text + "]";
}

std::string ProgramText(const Program& program) {
  std::ostringstream out;
  for (size_t thread = 0; thread < program.threads.size(); ++thread) {
    if (thread > 0) out << "  ||  ";
    for (size_t i = 0; i < program.threads[thread].size(); ++i) {
      if (i > 0) out << "; ";
      PrintOperation(program, program.threads[thread][i], out);
    }
  }
  return out.str();
}

}  // namespace jacquard::litmus
