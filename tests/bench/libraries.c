/* A program that only loads the libraries that the bridge loads. The line tells that it got that far. */
#include <stdio.h>

int main(void)
{
    puts("loaded");
    return 0;
}
