//! One file per source of readings: cpu, memory, disk, network, pressure, process and so on.
