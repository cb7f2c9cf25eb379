#include <thread>

#include "queue.h"

extern "C" int log_line(void);

int main() {
  Queue queue;
  const auto produce = [&queue] {
#ifdef BROKEN
    queue.PushUnlocked("a text that is too long to be kept in place");
#else
    queue.Push("a text that is too long to be kept in place");
#endif
    log_line();
  };
  std::thread a(produce);
  std::thread b(produce);
  a.join();
  b.join();
  return queue.size() == 2 && log_line() == 3 ? 0 : 1;
}
