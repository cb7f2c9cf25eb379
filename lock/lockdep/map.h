// What lies in each lock that is validated: the name of its class. Its address stands for the lock.
#ifndef JACQUARD_LOCK_LOCKDEP_MAP_H_
#define JACQUARD_LOCK_LOCKDEP_MAP_H_

// The validator's code in headers: where it is compiled into code that is simulated it must not be
// instrumented, as it is no part of what is simulated.
#define JACQUARD_LOCKDEP_UNSEEN \
  __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation, no_sanitize("coverage")))

namespace jacquard::lock::lockdep {

class Map {
 public:
  // `class_name` must be a literal. With a `line`, where the lock is declared, both together are
  // the name: locks of one file can be told apart without inventing names.
  JACQUARD_LOCKDEP_UNSEEN explicit constexpr Map(const char* class_name, unsigned line = 0)
      : name_(class_name), line_(line) {}
  // Nobody may hold the lock: else "held lock freed!". Costs a look at each thread's locks.
  ~Map();
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  JACQUARD_LOCKDEP_UNSEEN const char* name() const { return name_; }
  JACQUARD_LOCKDEP_UNSEEN unsigned line() const { return line_; }

 private:
  const char* name_;
  unsigned line_;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_MAP_H_
