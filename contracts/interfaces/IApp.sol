// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IEntry} from "./IEntry.sol";

/// @title IApp
/// @notice A program that can run in an enclave. Its fields never change; a new version is a new app.
interface IApp is IEntry {
    /// @notice A name for people.
    function m_appName() external view returns (string memory);

    /// @notice How the app is packaged, e.g. `DOCKER` or `BUNDLE`.
    function m_appType() external view returns (string memory);

    /// @notice Where the package lies: the bytes of a multiaddr, or a plain UTF-8 URL.
    function m_appMultiaddr() external view returns (bytes memory);

    /// @notice What the package must hash to: sha256.
    function m_appChecksum() external view returns (bytes32);

    /// @notice What the enclave framework needs to know, as JSON in UTF-8; may be empty.
    function m_appMREnclave() external view returns (bytes memory);
}
