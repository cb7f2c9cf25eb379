// A scenario with two accounts that lock each other's mutex in whatever order.
#include <mutex>

#include "fuzzers/scenario.h"

class TransferScenario {
 public:
  static constexpr int kMaxThreads = 2;

  static auto Operations() {
    return jacquard::Operations<TransferScenario>{
        {"give", &TransferScenario::Give},
        {"take", &TransferScenario::Take},
        {"take_in_order", &TransferScenario::TakeInOrder},
    };
  }

  void Give() { Move(mine_, yours_, 1); }
  void Take() { Move(yours_, mine_, 1); }
  void TakeInOrder() { Move(mine_, yours_, -1); }

 private:
  struct Account {
    std::mutex mutex;
    int money = 10;
  };

  static void Move(Account& from, Account& to, int money) {
    const std::lock_guard first(from.mutex);
    const std::lock_guard second(to.mutex);
    from.money -= money;
    to.money += money;
  }

  Account mine_;
  Account yours_;
};
JACQUARD_FUZZ_TARGET(TransferScenario)
