/* Text inside a JSON string, for the JSON writer and for the log, which stands below it. */
#ifndef AB_BASE_ESCAPE_H
#define AB_BASE_ESCAPE_H

#include "base/buf.h"

/* Appends `text` as it stands between the quotes of a JSON string. Bytes that are no UTF-8 become U+FFFD. */
void ab_escape_json(struct ab_buf *out, struct ab_str text);

#endif
