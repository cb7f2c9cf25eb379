// Files and directories as an execution leaves them.
#ifndef JACQUARD_SIM_FILES_H_
#define JACQUARD_SIM_FILES_H_

#include <functional>

namespace jacquard::sim {

// `descriptor`, which may be negative, is what a call has opened that returns to `caller`; returns
// it.
int OpenedFile(int descriptor, const void* caller);

// The same for a file that nobody else can have opened by a name.
int OpenedNewFile(int descriptor, const void* caller);
// The same for another descriptor of the file of `original`.
int CopiedFile(int original, int copy, const void* caller);

// Which of the execution's files it is: a number below kMostFiles, the same for all descriptors of
// the file and for both ends of a pipe or a pair of sockets. kUnknownFile: it may be any.
constexpr int kMostFiles = 256;
constexpr int kUnknownFile = -1;
int FileOf(int descriptor);

// Another descriptor of the file, for the runtime alone: it is there until LetGoOfFile, whatever
// the program closes, or to the execution's end. -1: there are no more.
int HoldFile(int descriptor);
void LetGoOfFile(int held);

// Whether the execution has opened it, or a constructor before main, and no other process has been
// given any, nor does the runtime keep an end open that the program has closed.
bool IsOpenedByProgram(int descriptor);
void NoteFilesShared();
void ForEachOpenedFile(const std::function<void(int)>& visit);

// Before the first execution: what is open now was not opened by one.
void LearnOpenFiles();

// After an execution, while its memory is still there: closes what it has opened and not closed, as
// the end of the process would, and puts back what was there before.
void RestoreFiles();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FILES_H_
