/* An atomic instruction that is written as bytes: the compiler wrapper warns of it. */
int main(void) {
  int word = 0;
  __asm__ volatile(".byte 0xf0; addl $1, %0" : "+m"(word));
  return word - 1;
}
