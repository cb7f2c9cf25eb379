// Which descriptors are open, who has opened each, and which file it belongs to.
#ifndef JACQUARD_SIM_OPEN_FILES_H_
#define JACQUARD_SIM_OPEN_FILES_H_

#include <functional>

namespace jacquard::sim {

// Which of the execution's files it is: a number below kMostFiles, the same for all descriptors of
// the file and for both ends of a pipe or a pair of sockets. kUnknownFile: it may be any.
constexpr int kMostFiles = 256;
constexpr int kUnknownFile = -1;

// A descriptor, and which file it belongs to.
struct OpenDescriptor {
  int number;
  int file;
};

// Whether `caller`, a return address, is a simulated thread's, in the program's own code: what a
// library opens for itself may outlive the execution.
bool IsByProgram(const void* caller);

// `descriptor`, which may be negative, is what a call has opened that returns to `caller`; returns
// it.
int OpenedFile(int descriptor, const void* caller);
// The same for a file that nobody else can have opened by a name.
int OpenedNewFile(int descriptor, const void* caller);
// The same for another descriptor of the file of `original`.
int CopiedFile(int original, int copy, const void* caller);
// The same for both ends of a pair, if the call's `result` is 0.
void OpenedPair(const int* pair, int result, const void* caller);
// A library, or somebody before the first execution, has opened or closed it.
void SetOpenOutside(int descriptor, bool open);

int FileOf(int descriptor);

// Another descriptor of the file, for the runtime alone: it is there until LetGoOfFile, whatever
// the program closes, or to the execution's end. -1: there are no more.
int HoldFile(int descriptor);
void LetGoOfFile(int held);
// What the program calls it: of which HoldFile has made it, or the descriptor itself.
int OriginalOf(int descriptor);
// Whether the descriptor is such a one, or another one of the runtime's.
bool IsOfRuntime(int descriptor);

// Whether the execution has opened it, or a constructor before main, and no other process has been
// given any, nor does the runtime keep an end open that the program has closed.
bool IsOpenedByProgram(int descriptor);
void NoteFilesShared();
void ForEachOpenedFile(const std::function<void(int)>& visit);

// The descriptor is about to be closed, or to become another file, by a call that returns to
// `caller`. What was there before the execution is kept as a copy.
void BeforeClose(int descriptor, const void* caller);
// The flags that F_SETFL changes are about to be changed, by a call that returns to `caller`.
void BeforeFlagsChange(int descriptor, const void* caller);
// It goes with a stream from now on, or with an open directory.
void GiveToStream(int descriptor);

// Before the first execution: what is open now was not opened by one.
void LearnOpenFiles();

// After an execution: closes what it has opened and not closed, as the end of the process would,
// and puts back what it has closed or replaced. HasReplacedFiles(): whether there is any such.
bool HasReplacedFiles();
void RestoreOpenFiles();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_OPEN_FILES_H_
