/* Intrusive doubly linked lists: the link is a member of what is listed. */
#ifndef AB_BASE_LIST_H
#define AB_BASE_LIST_H

#include "agentbridge/types.h"

struct ab_link {
    struct ab_link *previous;
    struct ab_link *next;
};

/* A list is a link that points to itself when empty. */
struct ab_list {
    struct ab_link head;
};

/* The struct around a link. */
#define AB_OWNER(link_pointer, type, member) ((type *)(void *)((char *)(link_pointer)-offsetof(type, member)))

void ab_list_init(struct ab_list *list);
bool ab_list_is_empty(const struct ab_list *list);
void ab_list_append(struct ab_list *list, struct ab_link *link);
/* Takes the link out of its list; a link in no list (zeroed) is left alone. */
void ab_link_remove(struct ab_link *link);
bool ab_link_is_linked(const struct ab_link *link);
/* First link or NULL; the one after or NULL. */
struct ab_link *ab_list_first(const struct ab_list *list);
struct ab_link *ab_list_next(const struct ab_list *list, const struct ab_link *link);
/* Moves all links of `from` to the end of `to`; `from` is empty afterwards. */
void ab_list_take(struct ab_list *to, struct ab_list *from);

#endif
