/* Control and observation of the simulated CUDA driver, beside the driver's own functions.
 *
 * A test that has loaded libcudasim.so finds these with dlsym. All of them may be called at any
 * time; those that ask for a launch's figures first run all queued work. A failed launch is counted
 * up to the fault. */
#ifndef CUDASIM_H
#define CUDASIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Figures of one launch, or sums over several. */
typedef struct kilnsim_counters {
  unsigned long long launches;
  unsigned long long blocks;
  unsigned long long warp_instructions;
  unsigned long long thread_instructions;
  unsigned long long global_load_instructions; /* warp instructions */
  unsigned long long global_store_instructions;
  unsigned long long global_bytes_read; /* what the lanes asked for */
  unsigned long long global_bytes_written;
  unsigned long long global_sectors_read; /* of 32 bytes, distinct in each warp instruction */
  unsigned long long global_sectors_written;
  unsigned long long global_vector_accesses; /* warp instructions of 16 bytes a lane */
  unsigned long long distinct_bytes_read;
  unsigned long long distinct_bytes_written;
  unsigned long long distinct_bytes_touched;
  unsigned long long shared_load_instructions;
  unsigned long long shared_store_instructions;
  unsigned long long shared_bank_conflicts; /* wavefronts beyond the least possible */
  unsigned long long local_bytes_read;
  unsigned long long local_bytes_written;
  unsigned long long barriers; /* block barriers released */
  unsigned long long atomics;  /* lanes that performed one */
  unsigned long long divergent_branches;
} kilnsim_counters;

/* Sums since the last reset, over every device. */
void kilnsim_get_counters(kilnsim_counters* out);
void kilnsim_reset_counters(void);
/* The last launch, and the name of its kernel (valid until the next launch). */
const char* kilnsim_last_launch(kilnsim_counters* out);
/* The last fault's report, or an empty text. */
const char* kilnsim_last_report(void);

/* What fails next: the n-th call from now, counted from 1; 0 switches off. With `every` non-zero
 * each later call fails as well. */
enum {
  KILNSIM_FAIL_ALLOCATION = 0,
  KILNSIM_FAIL_LAUNCH = 1,
  KILNSIM_FAIL_LOAD = 2,
  KILNSIM_FAIL_COPY = 3,
  KILNSIM_FAIL_EXECUTION = 4, /* a kernel ends with an illegal address: sticky */
  KILNSIM_FAIL_KINDS = 5
};
void kilnsim_fail(int kind, unsigned long long nth, int every);

/* The seed of queue order, random schedules and jitter. */
void kilnsim_seed(unsigned long long seed);
/* Sets one of the options of README.md by its environment name; 0 if there is no such option. The
 * device's capability and memory are fixed once cuInit has run. */
int kilnsim_set_option(const char* name, const char* value);
/* Runs all queued work in a legal order. Faults stay with their device, as usual. */
void kilnsim_drain(void);
/* Live allocations of the user (modules aside), with a report on stderr when there are any. */
unsigned long long kilnsim_leaks(int report);
/* Back to the state before cuInit: every context, allocation and queue is dropped. */
void kilnsim_reset(void);

#ifdef __cplusplus
}
#endif

#endif
