package embedded

import (
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
)

// outerTemporal is a Temporal server that we do not run.
func outerTemporal(address string) (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return client.Options{}, fmt.Errorf("settings of Temporal: %w", err)
	}
	options.HostPort = address
	if options.Namespace == "" || options.Namespace == client.DefaultNamespace {
		options.Namespace = Namespace
	}
	return options, nil
}
