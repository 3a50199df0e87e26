package contract

import "sync"

// pressed is how many papers a press remembers at least; a paper takes about 40 KB.
const pressed = 128

// Press prints papers and remembers those that it printed lately: who reads a contract
// signs it soon after, and the same paper gives the same bytes. It may be used by many at
// once; its zero value is ready.
type Press struct {
	mu  sync.Mutex
	now map[Paper][]byte
	old map[Paper][]byte // those before now was full
}

// Print is [Font.Print]. The bytes are shared: they must not be changed.
func (p *Press) Print(f *Font, paper Paper) ([]byte, error) {
	p.mu.Lock()
	body, ok := p.now[paper]
	if !ok {
		body, ok = p.old[paper]
	}
	p.mu.Unlock()
	if ok {
		return body, nil
	}
	body, err := f.Print(paper)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil || len(p.now) >= pressed {
		p.now, p.old = make(map[Paper][]byte, pressed), p.now
	}
	p.now[paper] = body
	return body, nil
}
