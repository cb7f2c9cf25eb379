#include "sim/library_contracts.h"

#include <charconv>
#include <map>
#include <string>
#include <string_view>

#include "sim/engine.h"
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
  constexpr std::string_view kClass = "std::counting_semaphore<";
  if (!function.starts_with(kClass) || !function.ends_with("::release")) return false;
  const char* const number = function.data() + kClass.size();
  return std::from_chars(number, function.data() + function.size(), most).ec == std::errc();
}

Contract Find(uintptr_t pc) {
  Contract contract;
  for (const SourceFrame& frame : Symbolize(pc)) {
    if (!IsLibraryFrame(frame)) break;
    if (FindMaximum(frame.function, contract.most)) {
      contract.owner = Contract::Owner::kSemaphore;
    } else if (frame.function.starts_with("std::latch::")) {
      contract.owner = Contract::Owner::kLatch;
    }
  }
  return contract;
}

// The last places.
struct Known {
  uintptr_t pc;
  Contract contract;
};
constexpr size_t kKnown = 256;
constinit Known known[kKnown] = {};

const Contract& ContractAt(uintptr_t pc) {
  Known& entry = known[(pc ^ pc >> 8) % kKnown];
  if (entry.pc != pc) [[unlikely]] {
    const Backstage backstage;
    static std::map<uintptr_t, Contract> contracts;
    const auto [place, is_new] = contracts.try_emplace(pc);
    if (is_new) place->second = Find(pc);
    entry = {pc, place->second};
  }
  return entry.contract;
}

}  // namespace

void CheckLibraryContract(int64_t old_value, int64_t change, uintptr_t pc) {
  const int64_t value = old_value + change;
  const bool is_permitted = value == 0 || value == 1;  // by all but a semaphore of none
  if (is_permitted) return;
  const Contract& contract = ContractAt(pc);
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
