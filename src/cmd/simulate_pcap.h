/* simulate_pcap: `teiten simulate --pcap`: an invented capture and the truth about it. */
#ifndef TEITEN_SIMULATE_PCAP_H
#define TEITEN_SIMULATE_PCAP_H

struct args;

int simulate_pcap(const struct args *a);        /* returns the exit status */

#endif
