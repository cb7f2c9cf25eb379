// Throws away what the program writes while it is explored.
#ifndef JACQUARD_JACQUARD_SILENCE_H_
#define JACQUARD_JACQUARD_SILENCE_H_

namespace jacquard::call {

// While one of these lives, and is not lifted, standard output and standard error of the process
// lead nowhere. Works on the file descriptors, so that it holds for write(2), stdio, streams and
// libraries alike. Messages of the runtime itself still come through. One at a time.
class Silence {
 public:
  explicit Silence(bool wanted);
  ~Silence();
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

  // Lets output through again, and throws it away again. Whatever stands in buffers goes where
  // output went until then.
  void Lift();
  void Restore();

 private:
  static constexpr int kStreams = 2;
  int saved_[kStreams] = {-1, -1};  // what the descriptors were; -1: nothing is thrown away
  int nowhere_ = -1;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_SILENCE_H_
