#include <libpq-fe.h>
#include <sqlite3.h>
