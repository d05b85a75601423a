#pragma once
// How many blocks the process has asked the C allocator for since it started.
unsigned long allocation_count(void);

// How often threads other than the main one have changed the count of references to a Swift object.
unsigned long reference_count(void);
