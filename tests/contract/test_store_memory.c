/* The store in memory keeps the contract of stores. */
#include "store/memory.h"
#include "support/store_contract.h"

static struct ab_store *open_memory(struct ab_loop *loop, const char *directory)
{
    (void)directory;
    return ab_store_memory_new(loop);
}

int main(void)
{
    static const struct store_maker memory = { .name = "store in memory", .open = open_memory };
    return store_contract_run(&memory);
}
