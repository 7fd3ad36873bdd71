/* Intrusive doubly linked lists. */
#include "base/list.h"

void ab_list_init(struct ab_list *list)
{
    list->head.previous = &list->head;
    list->head.next = &list->head;
}

bool ab_list_is_empty(const struct ab_list *list)
{
    return list->head.next == &list->head;
}

void ab_list_append(struct ab_list *list, struct ab_link *link)
{
    link->previous = list->head.previous;
    link->next = &list->head;
    list->head.previous->next = link;
    list->head.previous = link;
}

void ab_link_remove(struct ab_link *link)
{
    if (link->next == NULL) {
        return;
    }
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->previous = NULL;
    link->next = NULL;
}

bool ab_link_is_linked(const struct ab_link *link)
{
    return link->next != NULL;
}

struct ab_link *ab_list_first(const struct ab_list *list)
{
    return list->head.next == &list->head ? NULL : list->head.next;
}

struct ab_link *ab_list_next(const struct ab_list *list, const struct ab_link *link)
{
    return link->next == &list->head ? NULL : link->next;
}

void ab_list_take(struct ab_list *to, struct ab_list *from)
{
    if (ab_list_is_empty(from)) {
        return;
    }
    from->head.next->previous = to->head.previous;
    to->head.previous->next = from->head.next;
    from->head.previous->next = &to->head;
    to->head.previous = from->head.previous;
    ab_list_init(from);
}
