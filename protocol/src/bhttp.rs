//! bhttp (to be written).
