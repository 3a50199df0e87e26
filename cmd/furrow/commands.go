package main

// commands is every tool, in the order of the help text.
var commands = []command{}
