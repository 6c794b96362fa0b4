// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Admin: what the owner may set
interface IAdmin {
    /// @notice What a Hub is born with and keeps for ever, but for the owner and the TEE broker. `token` is zero where the
    /// escrow holds the chain's own currency.
    struct Config {
        address token;
        address appRegistry;
        address datasetRegistry;
        address workerpoolRegistry;
        address owner;
        address teeBroker;
    }

    /// @notice Thrown when a call of the owner comes from somebody else.
    error NotOwner(address caller, address owner);

    /// @notice Thrown when an address that must be set is zero, or has no code where a contract is needed.
    error InvalidAddress(address value);

    /// @notice Thrown when the gas of callbacks does not fit 96 bits.
    error CallbackGasTooLarge(uint256 callbackGas);

    /// @notice Thrown when the time of a category (seconds) does not fit 64 bits.
    error CategoryTooLong(uint256 workClockTimeRef);

    /// @notice Thrown by what a Hub that is fixed for ever refuses: other registries, configuration, renouncing.
    error Immutable(bytes4 selector);

    /// @notice Thrown by `importScore`: there is no older Hub to import from.
    error NoPreviousHub(address worker);

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event CreateCategory(uint256 catid, string name, string description, uint256 workClockTimeRef);

    /// @notice Hands the Hub to `newOwner` at once.
    /// @dev Warning: there is no second step; a wrong address cannot be taken back.
    function transferOwnership(address newOwner) external;

    /// @notice Adds a category of tasks. Categories are never changed nor removed.
    /// @param workClockTimeRef Unit of a task's deadlines, in seconds.
    function createCategory(
        string calldata name,
        string calldata description,
        uint256 workClockTimeRef
    ) external returns (uint256 catid);

    /// @notice Names who authorizes enclaves in place of the pools; zero gives that back to the pools.
    function setTeeBroker(address teeBroker) external;

    /// @notice Sets the gas that a callback gets.
    function setCallbackGas(uint256 callbackGas) external;
}
