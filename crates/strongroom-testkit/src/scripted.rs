//! A Secret Service whose behaviour a test scripts.
