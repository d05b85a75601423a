module joulebook

go 1.19
