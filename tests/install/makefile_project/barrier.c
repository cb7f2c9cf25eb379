/* A fence in assembly: the compiler wrapper warns of it. */
int main(void) {
  int word = 0;
  __asm__ volatile("lock; addl $1, %0" : "+m"(word));
  return word - 1;
}
