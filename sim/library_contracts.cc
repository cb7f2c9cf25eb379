#include "sim/library_contracts.h"

#include <charconv>
#include <map>
#include <string>
#include <string_view>

#include "sim/engine.h"
#include "sim/library_bugs.h"
#include "sim/symbolize.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// Whose update stands at a place, and between what it has to remain.
struct Contract {
  enum class Owner : uint8_t { kNobody, kSemaphore, kLatch };
  Owner owner = Owner::kNobody;
  int64_t most = INT32_MAX;
};

// The number in "std::counting_semaphore<1l>::release".
bool FindMaximum(std::string_view function, int64_t& most) {
  constexpr std::string_view kClass = "counting_semaphore<";
  const size_t at = function.find(kClass);
  if (at == std::string_view::npos || !function.ends_with("::release")) return false;
  const char* const number = function.data() + at + kClass.size();
  return std::from_chars(number, function.data() + function.size(), most).ec == std::errc();
}

Contract Find(uintptr_t pc) {
  Contract contract;
  for (const SourceFrame& frame : Symbolize(pc)) {
    if (!IsLibraryFrame(frame)) break;
    if (FindMaximum(frame.function, contract.most)) {
      contract.owner = Contract::Owner::kSemaphore;
    } else if (frame.file.ends_with("/latch")) {
      contract.owner = Contract::Owner::kLatch;
    }
  }
  return contract;
}

const Contract& ContractAt(uintptr_t pc) {
  const Backstage backstage;
  static std::map<uintptr_t, Contract> contracts;
  const auto [place, is_new] = contracts.try_emplace(pc);
  if (is_new) place->second = Find(pc);
  return place->second;
}

}  // namespace

void CheckLibraryContract(int32_t old_value, int32_t change, uintptr_t pc) {
  if (!HasLibraryWaits()) return;  // both classes have
  const Contract& contract = ContractAt(pc);
  const int64_t value = int64_t{old_value} + change;
  if (contract.owner == Contract::Owner::kSemaphore && value > contract.most) {
    Misuse("semaphore overflow",
           "release(" + std::to_string(change) + ") of a std::counting_semaphore at " +
               std::to_string(old_value) + ", whose maximum is " + std::to_string(contract.most),
           pc);
  }
  if (contract.owner == Contract::Owner::kLatch && value < 0) {
    Misuse("latch counted below zero",
           "by " + std::to_string(-change) + " at " + std::to_string(old_value), pc);
  }
}

}  // namespace jacquard::sim
