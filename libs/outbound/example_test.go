package outbound_test

import (
	"context"
	"fmt"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/outbound"
)

func ExampleClient_Get() {
	reach, err := outbound.ParseReach([]string{"10.20.0.0/16"}) // what the organisation may have the hub call beyond the internet
	if err != nil {
		fmt.Println(err)
		return
	}
	client := outbound.New(outbound.Settings{UserAgent: "noorderhub/1.0"})
	_, _, err = client.Get(context.Background(), "https://127.0.0.1/jwks.json", outbound.Options{Reach: reach, MaxBytes: outbound.MaxJWKS})
	fmt.Println(errs.As(err).Code.ID)
	// Output: outside-network
}
