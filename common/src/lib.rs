//! Everything an OCF resource agent needs.
