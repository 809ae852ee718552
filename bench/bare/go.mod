module keyward.dev/bench/bare

go 1.23
