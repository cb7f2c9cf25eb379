#include "tests/lock/lockdep/example.h"

#include <mutex>
#include <thread>

#include "lock/lockdep/checked.h"

namespace jacquard {
namespace {

struct Account {
  explicit Account(const char* class_name) : mutex(class_name) {}
  lock::lockdep::Checked<std::mutex> mutex;
  int money = 100;
};

int days = 0;

[[gnu::noinline]] void Move(int money, Account& from, Account& to) {
  from.mutex.lock();
  to.mutex.lock();
  from.money -= money;
  to.money += money;
  to.mutex.unlock();
  from.mutex.unlock();
}

[[gnu::noinline]] void Save(Account& purse, Account& bank) {
  Move(10, purse, bank);
  ++days;
}

[[gnu::noinline]] void Spend(Account& purse, Account& bank) {
  Move(10, bank, purse);
  ++days;
}

}  // namespace

void TransferBothWays() {
  Account purse("purse"), bank("bank");
  std::thread([&] { Save(purse, bank); }).join();
  std::thread([&] { Spend(purse, bank); }).join();
}

}  // namespace jacquard
