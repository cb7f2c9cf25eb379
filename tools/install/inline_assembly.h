/* Included in front of all that the wrappers compile: instructions in inline assembly that matter
 * to the simulation become calls of it, or get one in front of them, which leave all registers but
 * those of the result as they are (sim/inline_assembly.S), and the stack, also the red zone below
 * the stack pointer.
 *
 * Atomic instructions and fences are seen by the simulation then as if hooks stood there. The
 * processor's time stamps come from it, whose clock is virtual, so that a program that decides by
 * them can be repeated: they are in nanoseconds, and to read one is a step, as for clock_gettime().
 *
 * The assembler looks for macros before it looks for instructions, and tells capitals apart for the
 * former only: so a macro can make the instruction that it has the name of. What the compiler makes
 * itself must not come by an assembler as a text: the wrappers leave this file out then. */
#if !defined(JACQUARD_INLINE_ASSEMBLY_H_) && !defined(__ASSEMBLER__) && defined(__x86_64__)
#define JACQUARD_INLINE_ASSEMBLY_H_
#pragma clang system_header /* no warnings of what is here */

__asm__(
    ".ifndef jacquard_inline_assembly\n"
    ".set jacquard_inline_assembly, 1\n"
    /* Assembly outside of functions, which the compiler puts in front of them, may be functions
     * that count on each byte's place, or on the stack. It stays as it is. */
    ".set jacquard_in_function, 0\n"
    /* In bytes, as the syntax may be Intel's: lea -128(%rsp), %rsp, a call by way of the global
     * offset table (the dynamic linker's own way, the first time, changes registers), and lea back.
     * Where the instruction behind it has been carried out, the call returns behind that
     * (sim/inline_assembly.cc). */
    ".macro jacquard_call name\n"
    ".byte 0x48, 0x8d, 0x64, 0x24, 0x80, 0xff, 0x15\n"
    ".long jacquard_inline_\\name@GOTPCREL-4\n"
    ".byte 0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0\n"
    ".endm\n"
    /* A prefix, in one statement with its instruction or before it. The call takes its place. */
    ".macro lock instruction:vararg\n"
    ".if jacquard_in_function\n"
    "jacquard_call locked\n"
    "\\instruction\n"
    ".else\n"
    "LOCK \\instruction\n"
    ".endif\n"
    ".endm\n"
    /* Those with an operand in memory matter; of the others the runtime finds that out. */
    ".macro jacquard_see name, capitals\n"
    ".macro \\name operands:vararg\n"
    ".if jacquard_in_function\n"
    "jacquard_call access\n"
    ".endif\n"
    "\\capitals \\operands\n"
    ".endm\n"
    ".endm\n"
    ".irp suffix, , b, w, l, q\n"
    "jacquard_see xchg\\suffix, XCHG\\suffix\n"
    "jacquard_see mov\\suffix, MOV\\suffix\n"
    "jacquard_see cmp\\suffix, CMP\\suffix\n"
    "jacquard_see test\\suffix, TEST\\suffix\n"
    ".endr\n"
    ".irp suffix, x, bw, bl, bq, wl, wq\n"
    "jacquard_see movz\\suffix, MOVZ\\suffix\n"
    "jacquard_see movs\\suffix, MOVS\\suffix\n"
    ".endr\n"
    "jacquard_see movslq, MOVSLQ\n"
    "jacquard_see movsxd, MOVSXD\n"
    ".macro jacquard_replace name, capitals\n"
    ".macro \\name\n"
    ".if jacquard_in_function\n"
    "jacquard_call \\name\n"
    ".else\n"
    "\\capitals\n"
    ".endif\n"
    ".endm\n"
    ".endm\n"
    "jacquard_replace mfence, MFENCE\n"
    "jacquard_replace lfence, LFENCE\n"
    "jacquard_replace sfence, SFENCE\n"
    "jacquard_replace rdtsc, RDTSC\n"
    "jacquard_replace rdtscp, RDTSCP\n"
    /* It takes forty cycles or more, for no purpose here: a loop with thousands of them would take a
     * hundred times as long as one without. Something of the same length takes its place. */
    ".macro pause\n"
    ".if jacquard_in_function\n"
    ".byte 0x66, 0x90\n"
    ".else\n"
    "PAUSE\n"
    ".endif\n"
    ".endm\n"
    /* It also is a fence. */
    ".macro cpuid\n"
    ".if jacquard_in_function\n"
    "jacquard_call mfence\n"
    ".endif\n"
    "CPUID\n"
    ".endm\n"
    ".endif\n");

/* The first function: others follow. It is never called. */
__attribute__((__naked__, __used__, __unused__, __internal_linkage__)) void jacquard_functions(
    void) {
  __asm__(".set jacquard_in_function, 1\n\tud2");
}

/* What the intrinsics are made of: functions, as these are, which are never there but inline. */
#define JACQUARD_INTRINSIC \
  extern __inline__ __attribute__((__gnu_inline__, __always_inline__, __nodebug__, __nothrow__))
#ifdef __cplusplus
extern "C" {
#endif
JACQUARD_INTRINSIC unsigned long long jacquard_rdtsc(void) {
  unsigned long long jacquard_low, jacquard_high;
  __asm__ volatile("rdtsc" : "=a"(jacquard_low), "=d"(jacquard_high));
  return jacquard_high << 32 | jacquard_low;
}
JACQUARD_INTRINSIC unsigned long long jacquard_rdtscp(unsigned* jacquard_processor) {
  unsigned long long jacquard_low, jacquard_high, jacquard_number;
  __asm__ volatile("rdtscp" : "=a"(jacquard_low), "=d"(jacquard_high), "=c"(jacquard_number));
  *jacquard_processor = (unsigned)jacquard_number;
  return jacquard_high << 32 | jacquard_low;
}
JACQUARD_INTRINSIC void jacquard_mfence(void) { __asm__ volatile("mfence" ::: "memory"); }
JACQUARD_INTRINSIC void jacquard_lfence(void) { __asm__ volatile("lfence" ::: "memory"); }
JACQUARD_INTRINSIC void jacquard_sfence(void) { __asm__ volatile("sfence" ::: "memory"); }
JACQUARD_INTRINSIC void jacquard_pause(void) { __asm__ volatile("pause" ::: "memory"); }
#ifdef __cplusplus
}
#endif
#undef JACQUARD_INTRINSIC

#define __builtin_ia32_rdtsc() jacquard_rdtsc()
#define __builtin_ia32_rdtscp(jacquard_processor) jacquard_rdtscp(jacquard_processor)
#define __builtin_readcyclecounter() jacquard_rdtsc()
#define __builtin_ia32_mfence() jacquard_mfence()
#define __builtin_ia32_lfence() jacquard_lfence()
#define __builtin_ia32_sfence() jacquard_sfence()
#define __builtin_ia32_pause() jacquard_pause()
/* Known to the compiler by themselves. A declaration of them stays one. */
#if __has_builtin(__rdtsc)
#define __rdtsc(...) jacquard_rdtsc_of_##__VA_ARGS__()
#define jacquard_rdtsc_of_() jacquard_rdtsc()
#define jacquard_rdtsc_of_void() __rdtsc(void)
#endif
#define _mm_mfence(...) jacquard_mfence_of_##__VA_ARGS__()
#define jacquard_mfence_of_() jacquard_mfence()
#define jacquard_mfence_of_void() _mm_mfence(void)
#define _mm_lfence(...) jacquard_lfence_of_##__VA_ARGS__()
#define jacquard_lfence_of_() jacquard_lfence()
#define jacquard_lfence_of_void() _mm_lfence(void)
#define _mm_sfence(...) jacquard_sfence_of_##__VA_ARGS__()
#define jacquard_sfence_of_() jacquard_sfence()
#define jacquard_sfence_of_void() _mm_sfence(void)
#define _mm_pause(...) jacquard_pause_of_##__VA_ARGS__()
#define jacquard_pause_of_() jacquard_pause()
#define jacquard_pause_of_void() _mm_pause(void)

#endif
