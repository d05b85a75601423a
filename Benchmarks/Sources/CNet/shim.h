#include <sys/epoll.h>
#include <uv.h>
