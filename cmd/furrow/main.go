// Command furrow is the whole product: the server, its workers, the demo county
// and the tools that check its claims.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/furrowcredit/furrow/fault"
)

// stdio is what a command reads and writes, so that tests can pass their own.
type stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// errNo ends a command with exit code 1: it worked, and the answer is no.
var errNo = errors.New("the answer is no")

// command is one tool; its name may have two words.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, args []string, std stdio) error
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run finds the command and turns its error into an exit code: 0, 1 (the answer
// is no, or a failure of the machine) or 2 (bad usage or bad input).
func run(ctx context.Context, args []string, std stdio) int {
	c, rest := find(args)
	if c == nil {
		last := "help"
		if len(args) > 0 {
			last = args[len(args)-1]
		}
		usage(std.Err, args)
		if last == "help" || last == "-h" || last == "--help" {
			return 0
		}
		_, _ = fmt.Fprintf(std.Err, "\nfurrow: there is no command %q\n", strings.Join(args, " "))
		return 2
	}
	err := c.run(ctx, rest, std)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errNo):
		return 1
	}
	_, _ = fmt.Fprintf(std.Err, "furrow %s: %v\n", c.name, err)
	if errors.Is(err, fault.Invalid) || errors.Is(err, fault.TooLarge) {
		return 2
	}
	return 1
}

// find matches the longest command name at the start of args.
func find(args []string) (*command, []string) {
	for words := min(2, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		for i := range commands {
			if commands[i].name == name {
				return &commands[i], args[words:]
			}
		}
	}
	return nil, nil
}

// usage lists the commands, or those that begin with the first word asked for.
func usage(w io.Writer, args []string) {
	group := func(c command) bool { return len(args) > 0 && strings.HasPrefix(c.name, args[0]+" ") }
	all := !slices.ContainsFunc(commands, group)
	_, _ = fmt.Fprint(w, "furrow: credit for farmers and small firms\n\n")
	for _, c := range commands {
		if all || group(c) {
			_, _ = fmt.Fprintf(w, "  furrow %-18s %s\n", c.name, c.summary)
		}
	}
	_, _ = fmt.Fprint(w, "\nEach command takes -h. Formats: docs/formats.\n")
}
