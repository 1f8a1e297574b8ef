module example.com/stand-in

go 1.21
