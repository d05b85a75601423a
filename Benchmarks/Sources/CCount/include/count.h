#pragma once
// How many blocks the process has asked the C allocator for since it started.
unsigned long allocation_count(void);
