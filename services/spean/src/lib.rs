//! The program, in reading order: the commands, the services that a node runs, and what sets up a network.

pub mod command;
pub mod services;

pub mod admin;
pub mod node;
pub mod points;
pub mod proof;
pub mod run;

pub mod broker;
mod files;
pub mod network;
pub mod staff;

pub mod demonstration;
