// ShortFunctionName and its neighbours.
#include <gtest/gtest.h>

#include <string>

#include "sim/symbolize.h"

namespace jacquard {
namespace {

TEST(ShortFunctionName, DropsParametersAndQualifiers) {
  EXPECT_EQ(ShortFunctionName("main"), "main");
  EXPECT_EQ(ShortFunctionName("jacquard::Refcount::Get() const"), "jacquard::Refcount::Get");
  EXPECT_EQ(ShortFunctionName("f(int, void (*)(int), char const*) [clone .cold]"), "f");
  EXPECT_EQ(ShortFunctionName("T::g() &&"), "T::g");
}

TEST(ShortFunctionName, DropsReturnTypesOfTemplates) {
  EXPECT_EQ(ShortFunctionName("void Swap<int>(int&, int&)"), "Swap<int>");
  EXPECT_EQ(ShortFunctionName("std::pair<int, int> jacquard::Make<int>(int)"),
            "jacquard::Make<int>");
}

TEST(ShortFunctionName, ShortensLongTemplateArgumentsOnly) {
  EXPECT_EQ(ShortFunctionName("Word<unsigned int>::Get()"), "Word<unsigned int>::Get");
  EXPECT_EQ(ShortFunctionName("Word<unsigned int, unsigned long, 7>::Get()"), "Word<...>::Get");
  EXPECT_EQ(ShortFunctionName("Map<std::pair<int, int>, (Color)1, long>::At(int)"), "Map<...>::At");
}

TEST(ShortFunctionName, KeepsOperators) {
  EXPECT_EQ(ShortFunctionName("T::operator()(int) const"), "T::operator()");
  EXPECT_EQ(ShortFunctionName("T::operator<(T const&) const"), "T::operator<");
  EXPECT_EQ(ShortFunctionName("std::ostream& operator<< <char>(std::ostream&, char)"),
            "operator<<<char>");
  EXPECT_EQ(ShortFunctionName("T::operator<=>(T const&) const"), "T::operator<=>");
  EXPECT_EQ(ShortFunctionName("T::operator->() const"), "T::operator->");
  EXPECT_EQ(ShortFunctionName("T::operator[](unsigned long)"), "T::operator[]");
  EXPECT_EQ(ShortFunctionName("T::operator bool() const"), "T::operator bool");
  EXPECT_EQ(ShortFunctionName("T::operator unsigned long() const"), "T::operator unsigned long");
  EXPECT_EQ(ShortFunctionName("operator new(unsigned long)"), "operator new");
  EXPECT_EQ(ShortFunctionName("my_operator(int)"), "my_operator");
}

TEST(ShortFunctionName, KeepsEnclosingFunctionsAndLambdas) {
  EXPECT_EQ(ShortFunctionName("Run(int)::Local::Go()"), "Run::Local::Go");
  EXPECT_EQ(ShortFunctionName("T::Run(int) const::Local::Go()"), "T::Run::Local::Go");
  EXPECT_EQ(ShortFunctionName("main::{lambda()#1}::operator()() const"), "main::{lambda#1}");
  EXPECT_EQ(ShortFunctionName("T::Run(int)::{lambda(int, T*)#12}::operator()(int, T*) const"),
            "T::Run::{lambda#12}");
  EXPECT_EQ(ShortFunctionName("T::Run(int)::$_0::operator()(int) const"), "T::Run::{lambda$0}");
  EXPECT_EQ(
      ShortFunctionName("T::Run()::$_1::operator()() const::{lambda()#1}::operator()() const"),
      "T::Run::{lambda$1}::{lambda#1}");
}

TEST(ShortFunctionName, DropsAnonymousAndInlineNamespaces) {
  EXPECT_EQ(ShortFunctionName("jacquard::(anonymous namespace)::F(int)"), "jacquard::F");
  EXPECT_EQ(ShortFunctionName("(anonymous namespace)::F(int)"), "F");
  EXPECT_EQ(ShortFunctionName("Box<std::__cxx11::basic_string<char, std::char_traits<char>, "
                              "std::allocator<char> > >::Put()"),
            "Box<std::string >::Put");
  EXPECT_EQ(ShortFunctionName("Name[abi:cxx11](int)"), "Name");
}

TEST(ShortFunctionName, NeverReturnsNothingForSomething) {
  EXPECT_EQ(ShortFunctionName(""), "");
  for (const char* text : {"(", ")", "<", ">", "{", "f<", "f(", "a b c", "operator", "operator<",
                           " ", "((((", "{lambda", "f(int)::", "::"}) {
    EXPECT_FALSE(ShortFunctionName(text).empty()) << text;
  }
}

TEST(NamesOfMangled, AreThoseInFrontOfTemplateArguments) {
  EXPECT_EQ(NamesOfMangled("_Z9IncrementITkSt8integraliJLi1ELi2EEEvRT_"), "Increment<...>");
  EXPECT_EQ(NamesOfMangled("_ZN8jacquard9OperationITnDaLi1EE3RunEv"), "jacquard::Operation<...>");
  EXPECT_EQ(NamesOfMangled("_ZNK12_GLOBAL__N_13Box3PutITkSt8integraliEEvT_"),
            "(anonymous namespace)::Box::Put<...>");
  EXPECT_EQ(NamesOfMangled("_ZSt4moveITkSt8integraliEvT_"), "std::move<...>");
  EXPECT_EQ(NamesOfMangled("_ZL4takeITkSt8integraliEvT_"), "take<...>");
}

TEST(NamesOfMangled, NeverReturnsNothingForSomething) {
  for (const char* text : {"_Z", "_ZN", "_ZNK", "_Z9", "_Z99a", "_ZTV3Box", "_Z-1a", "x"}) {
    EXPECT_FALSE(NamesOfMangled(text).empty()) << text;
  }
}

TEST(IsLibraryFrame, TellsLibrariesFromUsers) {
  const auto frame = [](std::string function, std::string file) {
    return SourceFrame{.function = std::move(function), .file = std::move(file), .line = 1};
  };
  EXPECT_TRUE(IsLibraryFrame(frame("std::atomic<int>::load", "a.cc")));
  EXPECT_TRUE(IsLibraryFrame(frame("load", "/usr/include/c++/12/atomic")));
  EXPECT_TRUE(IsLibraryFrame(frame("start_thread", "")));
  EXPECT_TRUE(IsLibraryFrame(frame("libstdc++.so.6+0x1234", "")));
  EXPECT_FALSE(IsLibraryFrame(frame("0x401000", "")));
  EXPECT_TRUE(IsLibraryFrame(frame("__cxx_global_var_init", "a.cc")));
  EXPECT_TRUE(IsLibraryFrame(frame("__libc_start_main", "")));
  EXPECT_TRUE(IsLibraryFrame(frame("__gthread_mutex_lock", "/usr/include/c++/12/bits/gthr.h")));
  EXPECT_FALSE(IsLibraryFrame(frame("__rte_ring_enqueue", "ring.h")));
  EXPECT_FALSE(IsLibraryFrame(frame("jacquard::Refcount::Get", "lock/refcount.h")));
  EXPECT_TRUE(IsLibraryFrame(
      frame("jacquard::Operation<...>::Invoke", "external/jacquard/fuzzers/scenario.h")));
  EXPECT_FALSE(IsLibraryFrame(frame("Queue::Push", "fuzzers/scenario.h")));
}

TEST(IsInstalledHeaderFrame, TellsOtherLibrariesFromTheLanguages) {
  const auto is = [](std::string function, std::string file) {
    return IsInstalledHeaderFrame({.function = std::move(function), .file = std::move(file)});
  };
  EXPECT_TRUE(is("boost::lockfree::queue<int>::push", "/usr/include/boost/lockfree/queue.hpp"));
  EXPECT_TRUE(is("tbb::spin_mutex::lock", "/usr/local/include/spin_mutex.h"));
  EXPECT_TRUE(is("enqueue", "/usr/include/x86_64-linux-gnu/urcu/static/wfcqueue.h"));
  EXPECT_FALSE(is("load", "/usr/include/c++/12/atomic"));
  EXPECT_FALSE(is("std::function<void ()>::operator()", "/usr/include/boost/function.hpp"));
  EXPECT_FALSE(is("printf", "/usr/include/x86_64-linux-gnu/bits/stdio2.h"));
  EXPECT_FALSE(is("atoi", "/usr/include/stdlib.h"));
  EXPECT_FALSE(is("testing::internal::CmpHelperEQ<int, int>", "/usr/include/gtest/gtest.h"));
  EXPECT_FALSE(is("Push", "queue.h"));
}

TEST(SourceLocation, SaysWhatIsKnown) {
  EXPECT_EQ(SourceLocation({.function = "f", .file = "a/b.cc", .line = 7}), "a/b.cc:7");
  EXPECT_EQ(SourceLocation({.function = "f", .file = "a/b.cc", .line = 0}), "a/b.cc");
  EXPECT_EQ(SourceLocation({.function = "f", .file = "", .line = 7}), "");
}

}  // namespace
}  // namespace jacquard
