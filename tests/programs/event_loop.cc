// A global event loop, whose constructor opens what it waits for and puts a task into its pipe.
// Each execution leaves a wake-up and another task behind: the next one must find what the first
// has.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cstdint>
#include <thread>

#include "tests/programs/programs.h"

namespace {

class Loop {
 public:
  Loop() : wake_up_(eventfd(0, EFD_NONBLOCK)), epoll_(epoll_create1(0)) {
    [[maybe_unused]] const int opened = pipe2(tasks_, O_NONBLOCK);
    assert(wake_up_ >= 0 && epoll_ >= 0 && opened == 0);
    Watch(wake_up_);
    Post('t');
  }
  void Watch(int file) const {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = file;
    [[maybe_unused]] const int added = epoll_ctl(epoll_, EPOLL_CTL_ADD, file, &event);
    assert(added == 0);
  }
  void WatchTasks() const { Watch(tasks_[0]); }
  void Post(char task) const {
    [[maybe_unused]] const ssize_t size = write(tasks_[1], &task, 1);
    assert(size == 1);
    Wake();
  }
  void Stop(bool too_late) {
    if (!too_late) stops_ = true;
    Wake();
    stops_ = true;
  }
  void Run() {
    while (!stops_) {
      epoll_event event;
      [[maybe_unused]] const int ready = epoll_wait(epoll_, &event, 1, -1);
      assert(ready == 1);
      eventfd_t count;
      eventfd_read(wake_up_, &count);
      DoTasks();
    }
  }
  // Returns how many there have been.
  int DoTasks() {
    for (char task; read(tasks_[0], &task, 1) == 1; ++done_) assert(task == "ta"[done_]);
    return done_;
  }

 private:
  void Wake() const {
    [[maybe_unused]] const int written = eventfd_write(wake_up_, 1);
    assert(written == 0);
  }

  int wake_up_;
  int epoll_;
  int tasks_[2] = {-1, -1};
  std::atomic<bool> stops_ = false;
  int done_ = 0;
};

Loop loop;

}  // namespace

void EventLoop(bool broken) {
  loop.WatchTasks();
  std::thread runs([] { loop.Run(); });
  loop.Post('a');
  loop.Stop(/*too_late=*/broken);
  runs.join();
  [[maybe_unused]] const int done = loop.DoTasks();
  assert(done == 2);
  loop.Post('b');  // to nobody any more
}
