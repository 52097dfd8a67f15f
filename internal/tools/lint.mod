module quietline/internal/tools/lint

go 1.26.8
